/** Workers that stop, crash or lose the database: no task is lost, and each is resumed within seconds. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from './wav-file.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from './worker-fixture.ts';
import { startOwnTime } from '../support/own-time.ts';

const fixture = await useWorkerFixture({ after });
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const { sql, services } = fixture;

/** Submits a job whose planner hangs. Resolves when the planner is called. */
async function submitHanging(): Promise<string> {
  const before = services.callsOf('orchestrator').length;
  services.next('orchestrator', 'hang');
  const id = await fixture.submit(songs);
  await until('the planner is called', () => services.callsOf('orchestrator').length > before);
  return id;
}

async function planTask(id: string): Promise<Record<string, unknown>> {
  const [task] = await sql`
    select state, crashes, failures, worker_id from mashup.tasks where job_id = ${id} and kind = 'plan'`;
  return task ?? {};
}

test('SIGTERM requeues running tasks at once, without counting a failure, and ends the process', async () => {
  const first = await fixture.spawnWorker();
  const id = await submitHanging();
  const ownTime = startOwnTime();
  first.process.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  assert.ok(ownTime() < 5_000);
  const task = await planTask(id);
  assert.deepEqual([task['crashes'], task['failures']], [0, 0]);
  const [workers] = await sql`select count(*)::int as n from mashup.workers`;
  assert.equal(workers?.['n'], 0);
  const second = await fixture.startWorker();
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  await second.stop();
});

test('a task of a killed worker runs on another worker within five seconds', async () => {
  await sql`update mashup.settings set value = '0' where name = 'restart_grace_sec'`;
  const first = await fixture.spawnWorker();
  const id = await submitHanging();
  const before = services.callsOf('orchestrator').length;
  const second = await fixture.startWorker();
  const ownTime = startOwnTime();
  first.process.kill('SIGKILL');
  await until('the planner is called again', () => services.callsOf('orchestrator').length > before);
  const took = ownTime();
  assert.ok(took < 5_000, `took ${took} ms`);
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  assert.equal((await planTask(id))['crashes'], 1);
  await second.stop();
});

test('a worker that loses all its connections reconnects and keeps its running task', async () => {
  const worker = await fixture.startWorker();
  const before = services.callsOf('processing').length;
  services.next('processing', { stream: 'data: {"progress": 10, "message": "Warming up"}\n\n', silent: true });
  const id = await fixture.submit(songs);
  await fixture.untilJob(id, 'shows the step of its render', (job) => job.current_step === 'Warming up');
  const [terminated] = await sql`
    select count(pg_terminate_backend(pid))::int as n from pg_stat_activity
    where usename = 'mashup_worker' and datname = current_database()`;
  assert.ok((terminated?.['n'] as number) >= 3);
  await until('the worker reconnects', () => fixture.log.some((line) => line.includes('reconnected to the database')));
  // The render is still held here: it has survived the loss of the connections.
  const [task] = await sql`select state, worker_id, crashes from mashup.tasks where job_id = ${id} and kind = 'render'`;
  assert.deepEqual([task?.['state'], task?.['worker_id'], task?.['crashes']], ['running', worker.id, 0]);
  assert.equal(services.callsOf('processing')[before]?.abortedAt, undefined);
  await sql`select mashup.cancel(${id})`;
  await until('the call is aborted', () => services.callsOf('processing')[before]?.abortedAt !== undefined);
  assert.equal((await fixture.untilEnded(await fixture.submit(songs))).stage, 'complete');
  await worker.stop();
});

test('an unavailable service opens its circuit breaker, costs no attempts while it is open, and is used again afterwards', async () => {
  await sql`update mashup.settings set value = '1' where name in ('circuit_open_sec', 'circuit_open_max_sec')`;
  await sql`update mashup.settings set value = '2' where name = 'circuit_failures'`;
  const worker = await fixture.startWorker();
  services.always('processing', 'reset');
  const id = await fixture.submit(songs);
  await fixture.untilJob(id, 'waits for the circuit breaker', (job) => job.waiting_on === 'circuit');
  const [health] = await sql`select state, failures from mashup.service_health where service = 'processing'`;
  assert.notEqual(health?.['state'], 'closed');
  services.always('processing', undefined);
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const [closed] = await sql`select state, failures from mashup.service_health where service = 'processing'`;
  assert.deepEqual({ ...closed }, { state: 'closed', failures: 0 });
  await worker.stop();
});

test('an emptied queue is filled again, and the job continues', async () => {
  const id = await fixture.submit(songs);
  await sql`delete from mashup_queue._private_jobs`;
  const worker = await fixture.startWorker();
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  await worker.stop();
});

test('a hanging worker loses its task, and its late writes change nothing', async () => {
  await sql`update mashup.settings set value = '3' where name = 'lease_sec'`;
  await sql`update mashup.settings set value = '0.5' where name = 'heartbeat_sec'`;
  const first = await fixture.spawnWorker();
  const id = await submitHanging();
  const hung = services.callsOf('orchestrator').at(-1);
  const second = await fixture.startWorker();
  first.process.kill('SIGSTOP');
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal((await planTask(id))['worker_id'], null);
  const before = await fixture.job(id);
  first.process.kill('SIGCONT');
  await until('the call is aborted', () => hung?.abortedAt !== undefined);
  await until('the worker is registered again', async () => {
    const rows = await sql`select from mashup.workers where id = ${first.id} and seen_at > now() - interval '1 second'`;
    return rows.length === 1;
  });
  assert.deepEqual(await fixture.job(id), before);
  first.process.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  await second.stop();
});
