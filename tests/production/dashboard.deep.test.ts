/** Every query of the dashboard returns data from a real Prometheus that collects a real worker. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../support/until.ts';
import { wavFile } from '../worker/wav-file.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { dashboardQueries } from './dashboard.ts';
import { missingPrograms, searchPath } from './tools.ts';

const LOOPBACK = '127.0.0.1';
const RULES = join(import.meta.dirname, '../../deploy/prometheus/alerts.yml');
/** Replaces the variable that Grafana fills in. */
const RATE_INTERVAL = '1m';

interface Answer {
  status: string;
  error?: string;
  data?: { result: { value: [number, string] }[] };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Starts Prometheus for one target. Returns its URL. */
async function startPrometheus(target: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  await writeFile(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [RULES],
      scrape_configs: [{ job_name: 'mashup-worker', static_configs: [{ targets: [target] }] }],
    }),
  );
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${LOOPBACK}:${port}`,
    ],
    { stdio: 'ignore', env: searchPath() },
  );
  after(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  const url = `http://${LOOPBACK}:${port}`;
  await until('Prometheus is ready', () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return url;
}

const skip = (await missingPrograms({ prometheus: 'prometheus' })) ?? false;

test('every query of the dashboard returns values, and no alert fires', { skip }, async () => {
  const fixture = await useWorkerFixture({ after });
  const worker = await fixture.startWorker({ monitoring: { host: LOOPBACK, port: 0 } });
  const prometheus = await startPrometheus(new URL(worker.monitoringUrl ?? '').host);
  const query = async (expr: string): Promise<Answer> => {
    const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`);
    return (await response.json()) as Answer;
  };
  await until('the worker is collected', async () => (await query('mashup_workers')).data?.result.length === 1);

  // A job that is complete after a fault, one that fails, and a task of a lost worker: then every series has a value.
  const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
  const runJobs = async (): Promise<void> => {
    fixture.services.next('scoring', {
      status: 500,
      contentType: 'application/json',
      body: { detail: 'worker restarted' },
    });
    assert.equal((await fixture.untilEnded(await fixture.submit())).stage, 'complete');
    const broken = await fixture.upload('c.wav', Buffer.from('this is not a song, it is a text'.repeat(40)));
    assert.equal((await fixture.untilEnded(await fixture.submit([songs[0] ?? '', broken]))).stage, 'failed');
    await fixture.sql`select mashup.pause('kind', 'score', 'test')`;
    const id = await fixture.submit(songs);
    await fixture.untilJob(id, 'is paused', (job) => job.waiting_on === 'pause');
    await fixture.sql`update mashup.tasks set lost_at = now() - interval '2 seconds' where job_id = ${id} and kind = 'score'`;
    await fixture.sql`select mashup.resume('kind', 'score')`;
    assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  };
  await runJobs();
  const empty = async (): Promise<string[]> => {
    const without: string[] = [];
    for (const { expr, panel } of await dashboardQueries()) {
      const answer = await query(expr.replaceAll('$__rate_interval', RATE_INTERVAL));
      assert.equal(answer.status, 'success', `${panel}: ${answer.error}`);
      if (!answer.data?.result.some(({ value }) => Number.isFinite(Number(value[1]))))
        without.push(`${panel}: ${expr}`);
    }
    return without;
  };
  let without: string[] = [];
  await until(
    () => `all queries have values; these have none:\n${without.join('\n')}`,
    async () => (without = await empty()).length === 0,
    60_000,
  );
  const firing = await query('ALERTS{alertstate="firing"}');
  assert.deepEqual(firing.data?.result, []);
});
