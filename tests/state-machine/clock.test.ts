/** The clock of the database is set back, as after a restore of a virtual machine or a correction of a wrong clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ClaimedTask, type Machine, useMachine } from './state-machine-fixture.ts';

const JUMPS_SEC = [-600, -7_200];
/** Sweeps come each second; reconciliation is due every five. */
const PATIENCE_SEC = 10;

/** Sweeps once a second of the machine's clock, from `fromSec`, until `isDone`. Returns the seconds that it took. */
async function sweepUntil(
  m: Machine,
  fromSec: number,
  isDone: () => Promise<boolean>,
  patienceSec = PATIENCE_SEC,
): Promise<number> {
  for (let passed = 0; passed <= patienceSec; passed += 1) {
    await m.moveClock(fromSec + passed);
    await m.sweep();
    if (await isDone()) return passed;
  }
  return assert.fail(`not done within ${patienceSec} s`);
}

/** Submits a job whose first task is running. */
async function startJob(m: Machine): Promise<{ id: string; worker: string; task: ClaimedTask }> {
  const worker = await m.worker();
  const id = await m.submit(await m.user(), 2);
  const task = await m.claimNext(worker, id);
  assert.ok(task);
  return { id, worker, task };
}

describe('after the clock was set back', () => {
  for (const jump of JUMPS_SEC) {
    const label = `${-jump / 60} minutes`;

    it(`by ${label}, a task in its back-off is due within seconds, and its job completes`, async (t) => {
      const m = await useMachine(t);
      await m.sweep();
      const { id, worker, task } = await startJob(m);
      await m.fail(task, 'transient');
      await m.sql`update mashup.tasks set run_at = mashup.now() + interval '30 seconds' where id = ${task.task_id}`;
      await sweepUntil(m, jump, async () => {
        const ready = await m.ready(id);
        return ready.some((one) => Number(one.id) === Number(task.task_id));
      });
      await m.run(worker);
      assert.equal((await m.job(id)).stage, 'complete');
    });

    it(`by ${label}, a ready task gets a queue entry that is due, also if its entry was lost`, async (t) => {
      const m = await useMachine(t);
      await m.sweep();
      const id = await m.submit(await m.user(), 2);
      await m.sql`delete from mashup_queue._private_jobs`;
      await sweepUntil(m, jump, async () => {
        const [row] = await m.sql`
          select count(*)::int as due from mashup.tasks t join mashup_queue.jobs q on q.key = 'mashup:' || t.id || ':' || t.attempt
          where t.job_id = ${id} and t.state = 'ready' and t.run_at <= mashup.now() and q.run_at <= mashup.now()`;
        return row?.due === 2;
      });
    });

    it(`by ${label}, the task of a lost worker is recovered after one lease at most`, async (t) => {
      const m = await useMachine(t);
      await m.sweep();
      const { id, task } = await startJob(m);
      await m.moveClock(jump);
      await m.sweep();
      const [row] = await m.sql`
        select lease_until <= mashup.now() + interval '30 seconds' as lease, started_at <= mashup.now() as started
        from mashup.tasks where id = ${task.task_id}`;
      assert.deepEqual({ ...row }, { lease: true, started: true });
      // Sweeps go on meanwhile: without them the time would count as an interruption, after which no lease ends.
      const isLost = async (): Promise<boolean> =>
        (await m.sql`select from mashup.tasks where id = ${task.task_id} and state = 'running'`).length === 0;
      await sweepUntil(m, jump, isLost, 36);
      assert.equal((await m.job(id)).status, 'processing');
    });

    it(`by ${label}, an open circuit is probed, leases and deletions are limited, requests are counted afresh`, async (t) => {
      const m = await useMachine(t);
      await m.sweep();
      const user = await m.user();
      await m.sql`update mashup.settings set value = '2' where name = 'max_submits_per_minute'`;
      await m.submit(user, 2);
      await m.submit(user, 2);
      await m.sql`update mashup.service_health set state = 'open', failures = 5, opens = 1, opened_at = mashup.now(),
        retry_at = mashup.now() + interval '15 seconds', last_error = 'down' where service = 'analysis'`;
      await m.sql`insert into mashup.storage_deletions (path, not_before) values ('generated/x', mashup.now() + interval '600 seconds')`;
      await sweepUntil(m, jump, async () => {
        const [row] = await m.sql`
          select (select retry_at <= mashup.now() or state = 'half_open' from mashup.service_health where service = 'analysis') as probed,
            (select bool_and(not_before <= mashup.now() + interval '3605 seconds') from mashup.storage_deletions) as deletes`;
        return row?.probed === true && row.deletes === true;
      });
      await m.submit(user, 2);
    });

    it(`by ${label}, progress goes on being shown`, async (t) => {
      const m = await useMachine(t);
      await m.sweep();
      const { id, task } = await startJob(m);
      await m.moveClock(jump);
      await m.sql`select mashup.heartbeat_task(${task.task_id}, ${task.claim}, null, 'Listening again')`;
      assert.equal((await m.job(id)).current_step, 'Listening again');
    });
  }

  it('a job submitted before it and one submitted after it both complete', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const before = await m.submit(await m.user(), 2);
    await m.moveClock(-7_200);
    const later = await m.submit(await m.user(), 2);
    for (let passed = 0; passed <= PATIENCE_SEC; passed += 5) {
      await m.moveClock(-7_200 + passed);
      await m.sweep();
      await m.run(worker);
    }
    assert.deepEqual([(await m.job(before)).stage, (await m.job(later)).stage], ['complete', 'complete']);
  });
});
