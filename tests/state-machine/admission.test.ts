import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';

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
