/** Faults of circuits and limits that the model test found, one test each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Machine, resultOf, useMachine } from '../state-machine/state-machine-fixture.ts';
import { claimKind, health, openCircuit } from './regressions-fixture.ts';

describe('a half-open circuit opens again when its probe cannot return', () => {
  const ends: Record<string, (m: Machine, worker: string, id: string) => Promise<unknown>> = {
    'because it was paused before it was claimed': async (m, worker, id) => {
      await m.sql`select mashup.pause('kind', 'analyze')`;
      const [probe] = await m.ready(id);
      assert.ok(probe);
      assert.deepEqual(await m.claim(worker, probe), { status: 'deferred', reason: 'paused' });
      await m.sql`select mashup.resume('kind', 'analyze')`;
    },
    'because it took longer than it may': async (m, worker, id) => {
      const probe = await m.claimNext(worker, id);
      assert.ok(probe);
      await m.sql`update mashup.tasks set deadline_at = mashup.now() - interval '1 minute' where id = ${probe.task_id}`;
      await m.sweep();
    },
    'because it killed its workers': async (m, worker, id) => {
      const probe = await m.claimNext(worker, id);
      assert.ok(probe);
      await m.sql`update mashup.tasks set crashes = 3, solo_crashes = 1 where id = ${probe.task_id}`;
      await m.sql`update mashup.workers set seen_at = mashup.now() - interval '1 hour' where id = ${worker}`;
      await m.submit(await m.user(), 2);
      await m.sweep();
      assert.equal((await m.job(id)).stage, 'failed');
    },
    'because its job was deleted': async (m, worker, id) => {
      assert.ok(await m.claimNext(worker, id));
      await m.submit(await m.user(), 2);
      await m.sql`delete from mashup_jobs where id = ${id}`;
    },
    'because its job was replayed': async (m, worker, id) => {
      assert.ok(await m.claimNext(worker, id));
      await m.sql`update mashup.settings set value = '{}' where name = 'service_abort_hold_sec'`;
      await m.sql`update mashup_jobs set stage = 'analyzing' where id = ${id}`;
    },
    'because its worker stopped': async (m, worker, id) => {
      assert.ok(await m.claimNext(worker, id));
      await m.sql`select mashup.deregister_worker(${worker})`;
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    it(name, async (t) => {
      const m = await useMachine(t);
      const worker = await m.worker();
      await openCircuit(m, 'analysis');
      const id = await m.submit(await m.user(), 2);
      const before = await health(m, 'analysis');
      assert.equal(before.state, 'half_open');
      await end(m, worker, id);
      await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
      await m.sweep();
      const [probe] = await m.sql`
        select t.id, t.state from mashup.service_health h join mashup.tasks t on t.id = h.probe_task
        where h.service = 'analysis' and t.is_probe and t.state in ('ready', 'running')`;
      assert.ok(probe, `another probe; the circuit is ${JSON.stringify(await health(m, 'analysis'))}`);
    });
  }

  it('closes when the probe finds that two songs are the same recording', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const [first, second] = [await m.claimNext(worker, id), await m.claimNext(worker, id)];
    assert.ok(first && second);
    await m.finish(first);
    await m.sql`update mashup.service_health set state = 'half_open', probe_task = ${second.task_id} where service = 'analysis'`;
    await m.sql`update mashup.tasks set is_probe = true where id = ${second.task_id}`;
    assert.equal(await m.finish(second, { ...resultOf(second), content_hash: `hash-of-${first.song_id}` }), 'failed');
    assert.equal((await health(m, 'analysis')).state, 'closed');
  });

  it('passes no second probe for faults of calls that were running', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '{"analysis": 9}' where name = 'service_limits'`;
    const id = await m.submit(await m.user(), 3);
    const [late] = [await m.claimNext(worker, id)];
    assert.ok(late);
    await m.sql`update mashup.tasks set state = 'waiting', run_at = mashup.now() + interval '9 minutes' where state = 'ready'`;
    await openCircuit(m, 'analysis');
    await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
    await m.sweep();
    const probe = (await health(m, 'analysis')).probe;
    assert.ok(probe);
    assert.equal(await m.fail(late, 'unavailable'), 'retrying');
    await m.sweep();
    assert.deepEqual(await health(m, 'analysis'), { state: 'half_open', probe });
  });
});

describe('limits are kept', () => {
  it('when a circuit closes while fallback tasks are running', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '9' where name in ('max_running_jobs')`;
    await m.sql`update mashup.settings set value = '{"analysis": 9, "scoring": 1, "separation": 1}' where name = 'service_limits'`;
    await m.sql`update mashup.service_health set state = 'open', failures = 5, opens = 9, retry_at = mashup.now() + interval '5 minutes'
      where service = 'scoring'`;
    const jobs: string[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await m.submit(await m.user(), 2);
      jobs.push(id);
      for (let n = 0; n < 2; n++) await m.finish(await claimKind(m, worker, 'analyze', id));
    }
    await m.moveClock(30);
    await m.sweep();
    await m.sql`update mashup.service_health set state = 'closed', failures = 0, retry_at = null where service = 'scoring'`;
    for (const id of jobs) {
      const task = await claimKind(m, worker, 'score', id);
      assert.equal(task.fallback, true, 'it was released to do without the service');
    }
    const [row] = await m.sql`select free from mashup.task_kinds k, mashup.service_capacity(k) where k.kind = 'score'`;
    assert.equal(row?.free, 1, 'and takes no place there');
  });

  it('by an operator’s transaction that keeps its first snapshot', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
    const user = await m.user();
    const old = await m.submit(user, 2);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${old}`;
    await m.sql.begin('isolation level repeatable read', async (tx) => {
      await tx`select count(*) from mashup_jobs`;
      await m.submit(await m.user(), 2);
      await tx`update mashup_jobs set stage = 'analyzing' where id = ${old}`;
    });
    const [running] =
      await m.sql`select count(*)::int as n from mashup_jobs where admitted_at is not null and finished_at is null`;
    assert.equal(running?.n, 1);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id <> ${old}`;
    await m.sweep();
    assert.equal((await m.job(old)).waiting_on, null);
  });

  it('by simultaneous submissions of one user', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '0' where name = 'max_running_jobs'`;
    await m.sql`update mashup.settings set value = '5' where name = 'max_queued_jobs_per_user'`;
    const user = await m.user();
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => m.submit(user, 2)));
    assert.equal(answers.filter((answer) => answer.status === 'fulfilled').length, 5);
  });
});
