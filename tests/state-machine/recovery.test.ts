import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Machine, useMachine } from './state-machine-fixture.ts';

/** Counts the ready tasks that have a queue entry under their key. */
async function missingWakeups(m: Machine): Promise<number> {
  const [row] = await m.sql`
    select count(*)::int as n from mashup.tasks t where t.state = 'ready'
      and not exists (select from mashup_queue.jobs q where q.key = 'mashup:' || t.id || ':' || t.attempt)`;
  return row?.n;
}

describe('recovery', () => {
  it('enqueues every missing entry after the queue was emptied', async (t) => {
    const m = await useMachine(t);
    await m.submit(await m.user(), 3);
    assert.equal(await missingWakeups(m), 0);
    await m.sql`delete from mashup_queue._private_jobs`;
    assert.ok((await missingWakeups(m)) > 0);
    await m.moveClock(10);
    assert.ok(((await m.sweep())?.enqueued ?? 0) > 0);
    assert.equal(await missingWakeups(m), 0);
  });

  it('enqueues later what could not be enqueued while the schema of Graphile Worker was missing', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`drop schema mashup_queue cascade`;
    const id = await m.submit(await m.user(), 2);
    assert.equal((await m.ready(id)).length, 2);
    assert.equal((await m.sweep())?.enqueued, 0);
    const { migrate } = await import('../../migrate/migrate.ts');
    await migrate({ databaseUrl: m.url });
    await m.moveClock(10);
    assert.equal((await m.sweep())?.enqueued, 2);
    assert.equal(await missingWakeups(m), 0);
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('does not enqueue tasks during their back-off', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.fail(task, 'transient');
    await m.sql`update mashup.tasks set run_at = mashup.now() + interval '9 minutes' where id = ${task.task_id}`;
    await m.moveClock(20);
    await m.sweep();
    const [row] =
      await m.sql`select state, run_at > mashup.now() + interval '5 minutes' as later from mashup.tasks where id = ${task.task_id}`;
    assert.deepEqual({ ...row }, { state: 'waiting', later: true });
  });

  it('recovers the task of a silent worker, and ignores its later writes', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.moveClock(31);
    await m.sql`update mashup.workers set seen_at = mashup.now() - interval '1 hour'`;
    const other = await m.worker();
    await m.sql`update mashup.workers set seen_at = mashup.now() where id = ${other}`;
    assert.equal((await m.sweep())?.recovered, 1);
    const before = await m.job(id);
    assert.equal(await m.finish(task), 'lost');
    assert.equal(await m.fail(task, 'permanent'), 'lost');
    const [beat] =
      await m.sql`select mashup.heartbeat_task(${task.task_id}, ${task.claim}, 0.9, 'still here') as status`;
    assert.equal(beat?.status, 'lost');
    assert.deepEqual(await m.job(id), before);
    await m.run(other);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('recovers a task whose lease expired although its worker is alive', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.moveClock(31);
    assert.equal((await m.sweep())?.recovered, 1);
    assert.equal(await m.finish(task), 'lost');
  });

  it('fails a job whose task kills every worker, with an error that says so', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    for (let i = 0; i < 4; i++) {
      const worker = await m.worker();
      await m.sql`update mashup.workers set seen_at = mashup.now() where id = ${worker}`;
      const task = (await m.ready(id))[0];
      assert.ok(task, `loss ${i + 1}`);
      const claimed = await m.claim(worker, task);
      assert.equal(claimed.status, 'claimed');
      await m.sql`update mashup.tasks set state = 'waiting', run_at = mashup.now() + interval '9 minutes' where job_id = ${id} and state = 'ready'`;
      await m.sql`delete from mashup.workers where id = ${worker}`;
      await m.sweep();
    }
    const job = await m.job(id);
    assert.deepEqual([job.stage, job.error_code], ['failed', 'task_kills_worker']);
    assert.match(job.error_hint ?? '', /retry/);
  });

  it('runs a task that lost two workers only on a worker that runs nothing else', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const [first, second] = await m.ready(id);
    assert.ok(first && second);
    await m.sql`update mashup.tasks set crashes = 2 where id = ${first.id}`;
    const worker = await m.worker();
    const other = await m.claim(worker, second);
    assert.equal(other.status, 'claimed');
    assert.deepEqual(await m.claim(worker, first), { status: 'deferred', reason: 'must_run_alone' });
    if (other.status === 'claimed') await m.finish(other);
    const again = (await m.ready(id)).find((task) => task.id === first.id);
    assert.ok(again);
    assert.equal((await m.claim(worker, again)).status, 'claimed');
  });

  it('requeues the tasks of a deregistering worker at once, without counting a failure', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.sql`select mashup.deregister_worker(${worker})`;
    const [row] = await m.sql`select state, failures, crashes from mashup.tasks where id = ${task.task_id}`;
    assert.deepEqual({ ...row }, { state: 'ready', failures: 0, crashes: 0 });
    assert.equal((await m.claim(worker, { id: String(task.task_id), attempt: 2 })).status, 'gone');
  });

  it('checks the lock of a worker’s current connection, while the server still holds the lock of a half-open one', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '0' where name = 'restart_grace_sec'`;
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    assert.ok(await m.claimNext(worker, id));
    const fallSilent = async (): Promise<unknown> =>
      m.sql`update mashup.workers set seen_at = mashup.now() - interval '2 seconds'`;
    await fallSilent();
    assert.equal((await m.sweep())?.recovered, 0);
    await m.sql`select mashup.register_worker(${worker}, 'test', 1, 4711, 'test', 4, '{}', '{}', mashup.protocol_version())`;
    await fallSilent();
    assert.equal((await m.sweep())?.recovered, 1);
  });

  it('enqueues a task again when its entry was taken from the queue and not claimed for a while', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    await m.sql`update mashup_queue._private_jobs set locked_by = 'pool-gone', locked_at = now() - interval '10 seconds'`;
    await m.moveClock(10);
    assert.equal((await m.sweep())?.enqueued, 0);
    await m.sql`update mashup_queue._private_jobs set locked_at = now() - interval '16 seconds'`;
    const [late] = await m.ready(id);
    assert.ok(late);
    await m.moveClock(20);
    assert.equal((await m.sweep())?.enqueued, 2);
    assert.equal((await m.claim(worker, late)).status, 'gone');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('unlocks the queue entries that a deregistering worker had taken and not started', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.submit(await m.user(), 2);
    await m.sql`update mashup.workers set pool_ids = '{pool-mine}' where id = ${worker}`;
    await m.sql`update mashup_queue._private_jobs set locked_by = 'pool-mine', locked_at = now()`;
    await m.sql`select mashup.deregister_worker(${worker})`;
    const [row] = await m.sql`select count(locked_at)::int as locked from mashup_queue._private_jobs`;
    assert.equal(row?.locked, 0);
  });

  it('lets only one of two deliveries of a queue entry claim the task', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const [task] = await m.ready(id);
    assert.ok(task);
    const answers = await Promise.all(Array.from({ length: 8 }, () => m.claim(worker, task)));
    assert.equal(answers.filter((answer) => answer.status === 'claimed').length, 1);
  });

  it('enqueues the deletion of what a lost claim may have written', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.submit(await m.user(), 2);
    const render = await m.run(worker, (task) => task.kind === 'render');
    assert.ok(render?.output_prefix);
    await m.sql`update mashup_jobs set stage = 'rendering' where id = ${render.job_id}`;
    const [row] =
      await m.sql`select path, is_prefix, not_before > now() + interval '10 minutes' as later from mashup.storage_deletions`;
    assert.deepEqual({ ...row }, { path: render.output_prefix, is_prefix: true, later: true });
  });
});
