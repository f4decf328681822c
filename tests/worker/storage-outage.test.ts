/** Storage that is unavailable, or refuses the key: tasks wait, and no job fails. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WorkerStartError } from '../../worker/errors.ts';
import { until } from '../support/until.ts';
import { startStoppableProxy } from './stoppable-proxy.ts';
import { wavFile } from './wav-file.ts';
import { type JobRow, useWorkerFixture } from './worker-fixture.ts';

const JOBS = 8;
/** Probes that fail during the outage. */
const PROBES = 4;

const fixture = await useWorkerFixture({ after });
const { sql } = fixture;
const proxy = await startStoppableProxy(fixture.supabaseUrl);
after(() => proxy.stop());
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
await sql`update mashup.settings set value = '1000' where name in ('max_queued_jobs_per_user', 'max_submits_per_minute')`;
await sql`update mashup.settings set value = '0.5' where name in ('circuit_open_sec', 'circuit_open_max_sec')`;

async function storageCircuit(): Promise<string> {
  const [row] = await sql<{ state: string }[]>`select state from mashup.service_health where service = 'storage'`;
  return row?.state ?? 'none';
}

/** How often the circuit of Storage has opened: a failed probe opens it again. */
async function timesOpened(): Promise<number> {
  const [row] = await sql<{ opens: number }[]>`select opens from mashup.service_health where service = 'storage'`;
  return row?.opens ?? 0;
}

/**
 * Resolves with the first of the jobs that waits for a circuit. Slots decide which of them run when Storage stops, and
 * these may have reached any stage.
 */
async function firstWaiting(ids: string[]): Promise<JobRow> {
  let waiting: JobRow | undefined;
  await until('a job waits for the circuit', async () => {
    const jobs = await Promise.all(ids.map((id) => fixture.job(id)));
    waiting = jobs.find((job) => job.waiting_on === 'circuit');
    return waiting !== undefined;
  });
  assert.ok(waiting);
  return waiting;
}

test('no job fails while Storage is unavailable: tasks wait without losing attempts, and continue when it is back', async () => {
  const worker = await fixture.startWorker({ supabaseUrl: proxy.url });
  assert.equal((await fixture.untilEnded(await fixture.submit(songs))).stage, 'complete');
  const ids = await Promise.all(Array.from({ length: JOBS }, () => fixture.submit(songs)));
  await proxy.stop();
  await until('the circuit of Storage opens', async () => (await storageCircuit()) !== 'closed');
  const waiting = await firstWaiting(ids);
  assert.match(waiting.current_step, /^Waiting for the file storage;/);
  const [stuck] = await sql<{ why: string }[]>`select why from mashup.stuck where id = ${waiting.id}`;
  assert.match(stuck?.why ?? '', /storage/);
  const opened = await timesOpened();
  await until('probes have failed', async () => (await timesOpened()) >= opened + PROBES);
  const [spent] = await sql<{ failures: number }[]>`select max(failures) as failures from mashup.tasks`;
  assert.equal(spent?.failures, 0);
  await proxy.start();
  await until(
    'all jobs are complete',
    async () => {
      const rows = await sql<
        { stage: string }[]
      >`select stage from mashup_jobs where id = any (${ids}) and stage <> 'complete'`;
      assert.equal(rows.filter((row) => row.stage === 'failed').length, 0);
      return rows.length === 0;
    },
    120_000,
  );
  assert.equal(await storageCircuit(), 'closed');
  await worker.stop();
});

test('a key that Storage refuses keeps a worker from starting', async () => {
  const wrong = fixture.startWorker({
    serviceRoleKey: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.wrong',
  });
  await assert.rejects(wrong, (error) => {
    assert.ok(error instanceof WorkerStartError);
    assert.equal(error.code, 'storage_key_rejected');
    assert.match(error.hint, /SUPABASE_SECRET_KEY/);
    return true;
  });
});
