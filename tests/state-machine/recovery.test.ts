import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
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
    await m.sql`select mashup.register_worker(${worker}, 'test', 1, 4711, 'test', 4, '{}', '{}')`;
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

describe('a circuit', () => {
  it('opens on availability faults, counts no attempt of waiting tasks, and closes after one successful probe', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    for (let i = 0; i < 5; i++) {
      const task = await m.claimNext(worker, id);
      assert.ok(task, `fault ${i + 1}`);
      await m.fail(task, 'unavailable');
      await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
      await m.sweep();
    }
    const [health] = await m.sql`select state, opens from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...health }, { state: 'open', opens: 1 });
    const rest = await m.ready(id);
    for (const task of rest) {
      const claimed = await m.claim(worker, task);
      if (claimed.status === 'claimed') await m.fail(claimed, 'unavailable');
    }
    await m.sweep();
    assert.equal((await m.ready(id)).length, 0);
    const waiting = await m.job(id);
    assert.equal(waiting.waiting_on, 'circuit');
    assert.match(waiting.current_step, /service is unavailable/);

    await m.moveClock(60);
    await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
    await m.sweep();
    const probes = await m.ready(id);
    assert.equal(probes.length, 1, 'one probe');
    const probe = await m.claimNext(worker, id);
    assert.ok(probe);
    await m.finish(probe);
    const [closed] = await m.sql`select state, failures from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...closed }, { state: 'closed', failures: 0 });
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('spreads the tasks that return when it closes, and not when it was never open', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const isSpread = async (): Promise<boolean | undefined> => {
      const [row] = await m.sql`
        select t.run_at > h.updated_at as spread from mashup.tasks t, mashup.service_health h
        where t.state = 'ready' and t.job_id = ${id} and h.service = 'analysis'`;
      return row?.spread;
    };
    // One place, so that the second song is dispatched when the first ends.
    await m.sql`update mashup.settings set value = '{"analysis": 1}' where name = 'service_limits'`;
    await m.sql`update mashup.tasks set state = 'waiting' where job_id = ${id} and state = 'ready'`;
    await m.sql`update mashup.service_health set failures = 1, last_error = 'briefly unavailable' where service = 'analysis'`;
    const first = await m.claimNext(worker, id);
    assert.ok(first);
    await m.finish(first);
    assert.equal(await isSpread(), false);

    await m.sql`update mashup_jobs set stage = 'analyzing' where id = ${id}`;
    await m.sql`update mashup.service_health set state = 'half_open', failures = 5, opens = 1, last_error = 'unavailable',
      probe_task = (select id from mashup.tasks where job_id = ${id} and state = 'ready') where service = 'analysis'`;
    await m.sql`update mashup.tasks set is_probe = true where job_id = ${id} and state = 'ready'`;
    const probe = await m.claimNext(worker, id);
    assert.ok(probe);
    await m.finish(probe);
    assert.equal(await isSpread(), true);
  });

  it('of Storage opens at once for a refused key, holds every task that uses files, and names the key', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const first = await m.claimNext(worker, id);
    assert.ok(first);
    await m.sql`select mashup.fail_task(${first.task_id}, ${first.claim}, 'storage_key_rejected', 'Storage refuses the key.',
      'Set the key.', 'refused', p_service => 'storage', p_spends => false)`;
    const [other] = await m.ready(id);
    assert.ok(other);
    assert.deepEqual(await m.claim(worker, other), { status: 'deferred', reason: 'circuit' });
    await m.sweep();
    const waiting = await m.job(id);
    assert.deepEqual(
      [waiting.waiting_on, waiting.current_step],
      ['circuit', 'Storage is unavailable. The mashup continues when it is back.'],
    );
    const [stuck] = await m.sql`select why from mashup.stuck where id = ${id}`;
    assert.match(String(stuck?.why), /storage \(Storage refuses the key/);
    await m.moveClock(60);
    await m.sweep();
    const probe = await m.claimNext(worker, id);
    assert.ok(probe, 'one probe');
    assert.equal((await m.ready(id)).length, 0);
    await m.finish(probe);
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
    const [spent] = await m.sql`select max(failures) as failures from mashup.tasks`;
    assert.equal(spent?.failures, 0);
  });

  it('is not opened by bad files', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    for (let i = 0; i < 8; i++) {
      const id = await m.submit(user, 2);
      const task = await m.claimNext(worker, id);
      assert.ok(task);
      await m.fail(task, 'permanent', 'audio_damaged');
    }
    const [health] = await m.sql`select state, failures from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...health }, { state: 'closed', failures: 0 });
  });

  it('continues planning without its service after fallback_after_sec', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.service_health set state = 'open', failures = 9, retry_at = now() + interval '5 minutes' where service = 'orchestrator'`;
    const id = await m.submit(await m.user(), 2);
    await m.run(worker);
    assert.deepEqual([(await m.job(id)).stage, (await m.job(id)).waiting_on], ['planning', 'circuit']);
    await m.moveClock(61);
    await m.sweep();
    const task = await m.claimNext(worker, id);
    assert.equal(task?.kind, 'plan');
    assert.equal(task?.fallback, true);
  });
});

describe('admission', () => {
  it('keeps the limits and admits jobs of the user with the fewest running jobs first', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '3' where name = 'max_running_jobs'`;
    const [greedy, modest] = [await m.user(), await m.user()];
    const many: string[] = [];
    for (let i = 0; i < 5; i++) many.push(await m.submit(greedy, 2));
    const stages = await Promise.all(many.map((id) => m.job(id)));
    assert.deepEqual(
      stages.map((job) => job.stage),
      ['analyzing', 'analyzing', 'queued', 'queued', 'queued'],
    );
    const one = await m.submit(modest, 2);
    assert.equal((await m.job(one)).stage, 'analyzing');
    const two = await m.submit(modest, 2);
    assert.equal((await m.job(two)).waiting_on, 'slot');
    const [first] = await m.sql`select queue_position from mashup.queue_order() where id = ${two}`;
    assert.equal(first?.queue_position, 1, 'before the jobs of the user who runs two');
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${many[0] ?? ''}`;
    const after =
      await m.sql`select user_id, count(*)::int as n from mashup_jobs where admitted_at is not null group by 1`;
    assert.equal(
      after.reduce((sum, row) => sum + row.n, 0),
      3,
    );
  });

  it('makes a replay wait for a slot like any other run', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const done = await m.submit(user, 2);
    await m.run(worker);
    await m.sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
    const other = await m.submit(user, 2);
    await m.sql`update mashup_jobs set stage = 'rendering' where id = ${done}`;
    assert.deepEqual([(await m.job(done)).stage, (await m.job(done)).waiting_on], ['rendering', 'slot']);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${other}`;
    await m.run(worker);
    assert.equal((await m.job(done)).stage, 'complete');
  });

  it('writes the first twenty positions as the whole queue has them, with many users and with few', async (t) => {
    for (const users of [25, 3]) {
      const m = await useMachine(t);
      await m.sql`update mashup.settings set value = '100' where name in ('max_queued_jobs_per_user', 'max_submits_per_minute')`;
      await m.sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
      const people: string[] = [];
      for (let n = 0; n < users; n++) people.push(await m.user());
      // One runs. The other jobs of its user come after the first job of every user.
      for (let n = 0; n < 30; n++) await m.submit(people[Math.min(n % 8, n % users)] ?? '', 2);
      for (const person of people.slice(8)) await m.submit(person, 2);
      await m.sql`update mashup.maintenance_runs set done_at = '-infinity' where name = 'reconcile'`;
      await m.sweep();
      const written =
        await m.sql`select id, queue_position from mashup_jobs where queue_position is not null order by 2`;
      const ranked = await m.sql`select id, queue_position from mashup.queue_order() order by queue_position limit 20`;
      assert.equal(ranked.length, 20);
      assert.deepEqual([...written], [...ranked]);
    }
  });

  it('refuses a submission beyond the queue limit, with the seconds to wait', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '0' where name = 'max_running_jobs'`;
    await m.sql`update mashup.settings set value = '2' where name = 'max_queued_jobs_per_user'`;
    const user = await m.user();
    await m.submit(user);
    await m.submit(user);
    await assert.rejects(m.submit(user), { code: 'MB004', detail: '30' });
  });

  it('returns the first job for a repeated submission, and an error for another body', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const songs = await m.songs(user, 2);
    const submit = (list: object[]) =>
      m.as(user, (tx) => tx`select public.submit_mashup(${tx.json(list as never)}, '{}', null, 'key-1') as answer`);
    const [first, second] = await Promise.all([submit(songs), submit(songs)]);
    assert.equal(first[0]?.answer.job_id, second[0]?.answer.job_id);
    await assert.rejects(submit([...songs].reverse()), { code: 'MB005' });
  });

  it('does not start paused tasks, and continues when resumed', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const id = await m.submit(user, 2);
    await m.sql`select mashup.pause('kind', 'score', 'maintenance')`;
    await m.run(worker);
    assert.deepEqual([(await m.job(id)).stage, (await m.job(id)).waiting_on], ['scoring', 'pause']);
    await m.sql`select mashup.resume('kind', 'score')`;
    await m.sql`select mashup.pause('system')`;
    assert.equal(await m.claimNext(worker, id), undefined);
    const held = await m.submit(user, 2);
    assert.equal((await m.job(held)).stage, 'queued');
    await m.sql`select mashup.resume('system')`;
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
    assert.equal((await m.job(held)).stage, 'complete');
  });
});

describe('retention', () => {
  it('expires drafts and results, deletes old jobs, and puts their files into the outbox', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const draft = await m.submit(user, 2, { hold: 'planning' });
    const id = await m.submit(user, 2);
    await m.run(worker);
    const path = (await m.job(id)).result_path;
    await m.moveClock(25 * 3600);
    await m.sweep();
    assert.equal((await m.job(draft)).stage, 'cancelled');
    await m.moveClock(31 * 86400);
    await m.sweep();
    const [expired] =
      await m.sql`select stage, result_path, expired_at is not null as expired from mashup_jobs where id = ${id}`;
    assert.deepEqual({ ...expired }, { stage: 'complete', result_path: null, expired: true });
    const [outbox] = await m.sql`select count(*)::int as n from mashup.storage_deletions where path = ${path}`;
    assert.equal(outbox?.n, 1);
    await m.moveClock(400 * 86400);
    await m.sweep();
    const [left] = await m.sql`select count(*)::int as n from mashup_jobs`;
    assert.equal(left?.n, 0);
  });

  it('deletes everything of a deleted user', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    await m.submit(user, 2);
    await m.run(await m.worker());
    await m.sql`delete from auth.users where id = ${user}`;
    const [left] =
      await m.sql`select (select count(*) from mashup_jobs)::int + (select count(*) from mashup.analyses)::int
      + (select count(*) from mashup.stems)::int + (select count(*) from mashup.tasks)::int as n`;
    assert.equal(left?.n, 0);
    const paths = await m.sql`select path from mashup.storage_deletions where is_prefix`;
    assert.ok(paths.some((row) => row.path === `uploads/${user}/`));
  });
});

describe('an operator', () => {
  it('retries in bulk the jobs that failed with one code, after a preview', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    for (const code of ['audio_damaged', 'audio_damaged', 'audio_silent']) {
      const id = await m.submit(await m.user(), 2);
      const task = await m.claimNext(worker, id);
      assert.ok(task);
      await m.fail(task, 'permanent', code);
    }
    const preview = await m.sql`select id from mashup.select_jobs('failed', 'audio_damaged')`;
    assert.equal(preview.length, 2);
    const done = await m.sql`select * from mashup.bulk('retry', 'failed', 'audio_damaged')`;
    assert.deepEqual(
      done.map((row) => row.outcome),
      ['done', 'done'],
    );
    await m.run(worker);
    const stages = await m.sql`select stage, count(*)::int as n from mashup_jobs group by 1 order by 1`;
    assert.deepEqual(
      stages.map((row) => [row.stage, row.n]),
      [
        ['complete', 2],
        ['failed', 1],
      ],
    );
  });

  it('gets an error for a job that does not exist', async (t) => {
    const m = await useMachine(t);
    await assert.rejects(m.sql`select mashup.cancel(${randomUUID()})`, { code: 'MB002' });
  });
});
