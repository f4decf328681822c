/** Spells in which the database takes no writes: no task is blamed for them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { toTaskError } from '../../worker/task-faults.ts';
import { until } from '../support/until.ts';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';

/** More than the crashes after which a task runs alone, so that a spell that counts as a crash shows. */
const SPELLS = 3;
/** Longer than the lease. */
const SPELL_MS = 4_200;

const fixture = await useWorkerFixture({ after });
const { sql, services } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
await sql`update mashup.settings set value = '3' where name = 'lease_sec'`;
await sql`update mashup.settings set value = '0.5' where name = 'heartbeat_sec'`;

/** Makes the database read-only for workers, or writable. Open connections are closed, so that it applies to all. */
async function setReadOnly(isReadOnly: boolean): Promise<void> {
  const [{ name } = { name: '' }] = await sql<{ name: string }[]>`select current_database() as name`;
  await sql.unsafe(
    `alter role mashup_worker in database "${name}" ${isReadOnly ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only'}`,
  );
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'mashup_worker' and datname = ${name}`;
}

test('three read-only spells leave the task of a live worker without a crash and without a lost attempt', async () => {
  const workers = [await fixture.startWorker(), await fixture.startWorker()];
  services.always('orchestrator', 'hang');
  const id = await fixture.submit(songs);
  for (let spell = 0; spell < SPELLS; spell++) {
    const calls = services.callsOf('orchestrator').length;
    await until('the planner is called', () => services.callsOf('orchestrator').length >= Math.max(calls, 1));
    await setReadOnly(true);
    await sleep(SPELL_MS);
    if (spell === SPELLS - 1) services.always('orchestrator', undefined);
    await setReadOnly(false);
    await until('the planner is called again', () => services.callsOf('orchestrator').length > calls);
  }
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const [task] = await sql`
    select crashes, solo_crashes, failures from mashup.tasks where job_id = ${id} and kind = 'plan' order by id desc limit 1`;
  assert.deepEqual({ ...task }, { crashes: 0, solo_crashes: 0, failures: 0 });
  await Promise.all(workers.map((worker) => worker.stop()));
});

test('a result that is finished while the database is read-only is written when it is back, after more than a lease', async () => {
  const workers = [await fixture.startWorker(), await fixture.startWorker()];
  const before = services.callsOf('processing').length;
  const { promise: isReadOnly, resolve: finish } = Promise.withResolvers<void>();
  services.next('processing', { after: isReadOnly });
  const id = await fixture.submit(songs);
  await until('the job renders', () => services.callsOf('processing').length > before);
  await setReadOnly(true);
  finish();
  await sleep(SPELL_MS);
  await setReadOnly(false);
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(services.callsOf('processing').length, before + 1, 'the render is not repeated');
  const [task] =
    await sql`select max(failures) as failures, max(crashes) as crashes from mashup.tasks where job_id = ${id}`;
  assert.deepEqual({ ...task }, { failures: 0, crashes: 0 });
  await Promise.all(workers.map((worker) => worker.stop()));
});

for (const code of ['53300', '25006', '57P01', '57P03', '08006', '40001', '40P01', '53200', '55P03', 'ECONNRESET']) {
  test(`${code} is a fault of the database and spends no attempt`, () => {
    const fault = toTaskError(Object.assign(new Error('refused'), { code }));
    assert.deepEqual([fault.code, fault.faultClass, fault.spendsAttempt], ['database_unavailable', 'transient', false]);
  });
}
