/** The steps of the Dockerfile run, and worker and services take a job through as an unprivileged process 1. */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema/services.ts';
import { buildRoot, sizeOf } from '../../scripts/image/build-root.ts';
import { checkHealth, startContainer } from '../../scripts/image/container.ts';
import type { Container } from '../../scripts/image/container.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { missingPrograms, searchPath } from './tools.ts';

const ROOT = join(import.meta.dirname, '../..');
const JOB_LIMIT_MS = 15 * 60_000;
/** Away from the default ports, which another stack may use. */
const FIRST_PORT = 18_000;
const WORKER_PORT = '19464';

process.env['PATH'] = searchPath()['PATH'];
const missing = await missingPrograms({ debootstrap: 'debootstrap', unshare: 'util-linux' });
const skip = missing ?? (process.getuid?.() === 0 ? false : 'debootstrap needs root');

test('worker and services of the image make a mashup, are healthy, and stop in order', { skip }, async (t) => {
  const directory = join(tmpdir(), 'mashup-image');
  const built = await buildRoot(directory, (line) => t.diagnostic(line));
  t.diagnostic(`the root has ${Math.round((await sizeOf(built.root)) / 1_000_000)} MB`);
  const fixture = await useWorkerFixture({ after });
  const containers: Container[] = [];
  after(async () => {
    for (const { exited, kill } of containers) {
      try {
        kill('SIGKILL');
      } catch {
        // It has ended.
      }
      await exited;
    }
    for (const name of ['build', 'stage-1']) await rm(join(directory, name), { recursive: true, force: true });
  });
  const urls: Record<string, string> = {};
  for (const [index, name] of SERVICES.entries()) {
    const variables = { HOST: '127.0.0.1', PORT: String(FIRST_PORT + index) };
    containers.push(await startContainer(built, variables, ['node', `services/${name}/main.ts`]));
    urls[SERVICE_DEFAULTS[name].urlVariable] = `http://127.0.0.1:${variables.PORT}`;
    await until(`${name} is healthy`, async () => (await checkHealth(built, variables)) === 0);
  }
  const variables = {
    ...urls,
    WORKER_HTTP_HOST: '127.0.0.1',
    WORKER_HTTP_PORT: WORKER_PORT,
    DATABASE_URL: fixture.database.workerUrl,
    SUPABASE_URL: fixture.supabaseUrl,
    SUPABASE_SERVICE_ROLE_KEY: fixture.serviceRoleKey,
  };
  const worker = await startContainer(built, variables);
  containers.push(worker);
  await until(
    () => `the worker is ready: ${worker.log.join('\n')}`,
    async () => (await fetch(`http://127.0.0.1:${WORKER_PORT}/readyz`).catch(() => undefined))?.status === 200,
  );
  assert.equal(await checkHealth(built, { WORKER_HTTP_PORT: WORKER_PORT }), 0);
  assert.equal(await checkHealth(built, { PORT: '1' }), 1);

  const status = await readFile(`/proc/${worker.pid}/status`, 'utf8');
  assert.match(status, /^NSpid:\s+\d+\s+1$/m, 'it is process 1 of its namespace');
  assert.match(status, new RegExp(`^Uid:\\s+${built.config.user?.split(':')[0]}\\b`, 'm'), 'it is unprivileged');
  assert.match(status, /^CapEff:\s+0+$/m, 'it has no capabilities');

  const songs = await Promise.all(
    ['neon-drive', 'paper-kites'].map(async (name) =>
      fixture.upload(`${name}.mp3`, await readFile(join(ROOT, `examples/${name}.mp3`))),
    ),
  );
  const id = await fixture.submit(songs);
  await until(
    () => `the job ends: ${worker.log.slice(-5).join('\n')}`,
    async () => ['complete', 'failed'].includes((await fixture.job(id)).stage),
    JOB_LIMIT_MS,
  );
  const job = await fixture.job(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.ok(Number(job.result?.['bytes']) > 1_000_000);

  worker.kill('SIGTERM');
  assert.equal(await worker.exited, 0, worker.log.join('\n'));
  const [left] = await fixture.sql`select count(*)::int as workers from mashup.workers`;
  assert.equal(left?.['workers'], 0, 'it has deregistered');
});
