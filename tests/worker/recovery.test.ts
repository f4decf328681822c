/** Workers that stop, die, or lose the database: no task is lost, and none waits long. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from './sounds.ts';
import { until, useWorld } from './worker-fixture.ts';

const world = await useWorld({ after });
const songs = [await world.upload('a.wav', wavFile(120, 1)), await world.upload('b.wav', wavFile(120, 2))];
const { sql, services } = world;

/** Submits a job whose planner hangs; resolves when the planner is asked. */
async function submitAndHang(): Promise<string> {
  const before = services.callsOf('orchestrator').length;
  services.next('orchestrator', 'hang');
  const id = await world.submit(songs);
  await until('the planner is asked', () => services.callsOf('orchestrator').length > before);
  return id;
}

async function planTask(id: string): Promise<Record<string, unknown>> {
  const [task] = await sql`
    select state, crashes, failures, worker_id from mashup.tasks where job_id = ${id} and kind = 'plan'`;
  return task ?? {};
}

test('SIGTERM hands running tasks back at once, unharmed, and the process ends', async () => {
  const first = await world.spawnWorker();
  const id = await submitAndHang();
  const start = performance.now();
  first.process.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  assert.ok(performance.now() - start < 5_000);
  const task = await planTask(id);
  assert.deepEqual([task['crashes'], task['failures']], [0, 0]);
  const [workers] = await sql`select count(*)::int as n from mashup.workers`;
  assert.equal(workers?.['n'], 0);
  const second = await world.work();
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  await second.stop();
});

test('what a killed worker was doing runs on another within five seconds', async () => {
  await sql`update mashup.settings set value = '0' where name = 'restart_grace_sec'`;
  const first = await world.spawnWorker();
  const id = await submitAndHang();
  const before = services.callsOf('orchestrator').length;
  const second = await world.work();
  const start = performance.now();
  first.process.kill('SIGKILL');
  await until('the planner is asked again', () => services.callsOf('orchestrator').length > before);
  const took = performance.now() - start;
  assert.ok(took < 5_000, `took ${took} ms`);
  assert.equal((await world.ended(id)).stage, 'complete');
  assert.equal((await planTask(id))['crashes'], 1);
  await second.stop();
});

test('a worker that loses all its connections gets them back and keeps what it is doing', async () => {
  const worker = await world.work();
  const before = services.callsOf('processing').length;
  services.next('processing', { stream: 'data: {"progress": 10, "message": "Warming up"}\n\n', silent: true });
  const id = await world.submit(songs);
  await world.reach(id, 'shows the step of its render', (job) => job.current_step === 'Warming up');
  const [cut] = await sql`
    select count(pg_terminate_backend(pid))::int as n from pg_stat_activity
    where usename = 'mashup_worker' and datname = current_database()`;
  assert.ok((cut?.['n'] as number) >= 3);
  await until('the session is back', () => world.log.some((line) => line.includes('connected to the database again')));
  // The render is held until now, so that it is seen to go on over the loss.
  const [task] = await sql`select state, worker_id, crashes from mashup.tasks where job_id = ${id} and kind = 'render'`;
  assert.deepEqual([task?.['state'], task?.['worker_id'], task?.['crashes']], ['running', worker.id, 0]);
  assert.equal(services.callsOf('processing')[before]?.abortedAt, undefined);
  await sql`select mashup.cancel(${id})`;
  await until('the call is aborted', () => services.callsOf('processing')[before]?.abortedAt !== undefined);
  assert.equal((await world.ended(await world.submit(songs))).stage, 'complete');
  await worker.stop();
});

test('a service that is away opens its circuit, costs no tries while it is open, and is found again', async () => {
  await sql`update mashup.settings set value = '1' where name in ('circuit_open_sec', 'circuit_open_max_sec')`;
  await sql`update mashup.settings set value = '2' where name = 'circuit_failures'`;
  const worker = await world.work();
  services.always('processing', 'reset');
  const id = await world.submit(songs);
  await world.reach(id, 'waits for the circuit', (job) => job.waiting_on === 'circuit');
  const [health] = await sql`select state, failures from mashup.service_health where service = 'processing'`;
  assert.notEqual(health?.['state'], 'closed');
  services.always('processing', undefined);
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const [closed] = await sql`select state, failures from mashup.service_health where service = 'processing'`;
  assert.deepEqual({ ...closed }, { state: 'closed', failures: 0 });
  await worker.stop();
});

test('an emptied queue is filled again and the job goes on', async () => {
  const id = await world.submit(songs);
  await sql`delete from graphile_worker._private_jobs`;
  const worker = await world.work();
  assert.equal((await world.ended(id)).stage, 'complete');
  await worker.stop();
});

test('a worker that hangs loses its task, and what it does when it wakes up changes nothing', async () => {
  await sql`update mashup.settings set value = '3' where name = 'lease_sec'`;
  await sql`update mashup.settings set value = '0.5' where name = 'heartbeat_sec'`;
  const first = await world.spawnWorker();
  const id = await submitAndHang();
  const hung = services.callsOf('orchestrator').at(-1);
  const second = await world.work();
  first.process.kill('SIGSTOP');
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal((await planTask(id))['worker_id'], null);
  const before = await world.job(id);
  first.process.kill('SIGCONT');
  await until('the call is aborted', () => hung?.abortedAt !== undefined);
  await until('it is registered again', async () => {
    const rows = await sql`select from mashup.workers where id = ${first.id} and seen_at > now() - interval '1 second'`;
    return rows.length === 1;
  });
  assert.deepEqual(await world.job(id), before);
  first.process.kill('SIGTERM');
  assert.equal(await first.exited, 0);
  await second.stop();
});
