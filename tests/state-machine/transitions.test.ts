import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REPLAY_STAGES } from '../../schema/stages.ts';
import { useMachine } from './state-machine-fixture.ts';

describe('a job', () => {
  it('passes all stages to complete, each with its event', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const id = await m.submit(user, 2);
    const worker = await m.worker();
    assert.equal((await m.job(id)).stage, 'analyzing');
    await m.run(worker);
    const job = await m.job(id);
    assert.equal(job.stage, 'complete');
    assert.equal(job.status, 'complete');
    assert.equal(job.progress, 100);
    assert.match(job.result_path ?? '', new RegExp(`^generated/${id}/1-`));
    const events =
      await m.sql`select stage from public.mashup_job_events where job_id = ${id} and type in ('stage', 'submitted') order by id`;
    assert.deepEqual(
      events.map((e) => e.stage),
      [...REPLAY_STAGES, 'complete'],
    );
    const [left] = await m.sql`select count(*)::int as n from mashup.tasks where job_id = ${id} and state <> 'done'`;
    assert.equal(left?.n, 0);
  });

  it('is replayed by a plain update to an earlier and to the same stage, keeping analyses', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const worker = await m.worker();
    await m.run(worker);
    const before = await m.job(id);
    await m.sql`update mashup.settings set value = '{}' where name = 'service_abort_hold_sec'`;
    for (const stage of ['planning', 'rendering', 'analyzing', 'queued']) {
      await m.sql`update mashup_jobs set stage = ${stage} where id = ${id}`;
      const replayed = await m.job(id);
      assert.ok(replayed.epoch > before.epoch);
      assert.equal(replayed.result_path, null);
      const first = await m.claimNext(worker, id);
      assert.ok(first);
      assert.equal(
        first.kind,
        { planning: 'plan', rendering: 'render', analyzing: 'analyze', queued: 'analyze' }[stage],
      );
      await m.sql`update mashup_jobs set stage = stage where id = ${id}`;
      assert.equal(await m.finish(first), 'replayed');
      await m.run(worker);
      assert.equal((await m.job(id)).stage, 'complete', stage);
    }
    const [analyses] = await m.sql`select count(*)::int as n from mashup.analyses`;
    assert.equal(analyses?.n, 2);
    const [results] = await m.sql`select count(*)::int as n from public.mashup_results where job_id = ${id}`;
    assert.equal(results?.n, 5);
  });

  it('refuses illegal transitions with an error that says what is allowed', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const cases: [string, RegExp, RegExp][] = [
      ['rendering', /cannot go to rendering/, /Allowed from here: queued, analyzing, cancelled/],
      ['complete', /cannot go to complete/, new RegExp(`set stage to ${REPLAY_STAGES.at(-1)}`)],
      ['failed', /cannot go to failed/, /cancelled/],
      ['dancing', /no stage "dancing"/, /queued, analyzing/],
    ];
    for (const [stage, message, hint] of cases) {
      await assert.rejects(
        m.sql`update mashup_jobs set stage = ${stage} where id = ${id}`,
        (error: { code: string; message: string; hint: string }) => {
          assert.equal(error.code, 'MB001');
          assert.match(error.message, message);
          assert.match(error.hint, hint);
          return true;
        },
      );
    }
  });

  it('cannot be replayed into a stage whose prerequisite is missing; the error names the stage to reset to', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${id}`;
    await assert.rejects(
      m.sql`update mashup_jobs set stage = 'analyzing' where id = ${id}`.then(
        () => m.sql`update mashup_jobs set stage = 'scoring' where id = ${id}`,
      ),
    );
    await m.run(await m.worker());
    await m.sql`delete from mashup.stems`;
    await assert.rejects(m.sql`update mashup_jobs set stage = 'rendering' where id = ${id}`, {
      code: 'MB003',
      hint: 'Set stage to separating instead.',
    });
    await m.sql`delete from mashup.analyses`;
    await assert.rejects(m.sql`update mashup_jobs set stage = 'planning' where id = ${id}`, {
      code: 'MB003',
      hint: 'Set stage to analyzing instead.',
    });
  });

  it('is cancelled at once, and its running task can change nothing', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const worker = await m.worker();
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${id}`;
    const before = await m.job(id);
    assert.equal(await m.finish(task), 'cancelled');
    assert.deepEqual(await m.job(id), before);
    await m.sql`select mashup.retry(${id})`;
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('excludes one bad song of three with a warning, and fails with two', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const trio = await m.submit(user, 3);
    const bad = await m.claimNext(worker, trio);
    assert.ok(bad);
    assert.equal(await m.fail(bad, 'permanent', 'audio_truncated'), 'failed');
    await m.run(worker);
    const job = await m.job(trio);
    assert.equal(job.stage, 'complete');
    assert.ok(job.warnings.some(({ code }) => code === 'song_excluded'));

    const pair = await m.submit(user, 2);
    const worse = await m.claimNext(worker, pair);
    assert.ok(worse);
    await m.fail(worse, 'permanent', 'audio_truncated');
    const failed = await m.job(pair);
    assert.deepEqual([failed.stage, failed.error_code, failed.error_hint], ['failed', 'audio_truncated', 'Try again.']);
    assert.equal((await m.ready(pair)).length, 0);
  });

  it('retries transient faults with a back-off, and fails without attempts left', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    for (let i = 1; i <= 4; i++) {
      const task = await m.claimNext(worker, id);
      assert.ok(task, `attempt ${i}`);
      const song = task.song_id;
      assert.equal(await m.fail(task, 'transient'), i < 4 ? 'retrying' : 'failed');
      if (i < 4) {
        const [row] = await m.sql`select state, failures from mashup.tasks where id = ${task.task_id}`;
        assert.deepEqual({ ...row }, { state: 'waiting', failures: i });
        await m.moveClock(100 * i);
        await m.sql`update mashup.tasks set state = 'waiting', run_at = mashup.now() + interval '9 minutes' where job_id = ${id} and song_id <> ${song} and state = 'ready'`;
        await m.sweep();
      }
    }
    assert.equal((await m.job(id)).stage, 'failed');
  });

  it('waits as a draft for its user, without a slot, and then starts', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const worker = await m.worker();
    const id = await m.submit(user, 2, { hold: 'planning' });
    await m.run(worker);
    const draft = await m.job(id);
    assert.deepEqual([draft.stage, draft.waiting_on, draft.admitted_at], ['planning', 'user', null]);
    await m.as(user, (tx) => tx`select public.start_mashup(${id})`);
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('estimates its end from all remaining stages, and the end of a draft from those before planning', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const secondsLeft = async (id: string) => {
      const [row] =
        await m.sql`select extract(epoch from estimated_completion_at - now())::float8 as s from mashup_jobs where id = ${id}`;
      return row?.s as number;
    };
    const draft = await secondsLeft(await m.submit(user, 2, { hold: 'planning' }));
    const whole = await secondsLeft(await m.submit(user, 2));
    assert.ok(draft > 1 && draft < 15, `draft: ${draft} s`);
    assert.ok(whole > draft + 20, `whole: ${whole} s`);
  });

  it('estimates a render by the length of the mashup: of the options, then of its plan', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const worker = await m.worker();
    const [stats] = await m.sql`select base_sec, per_song_sec from mashup.stage_stats where kind = 'render'`;
    const [base, perSecond] = [Number(stats?.base_sec), Number(stats?.per_song_sec)];
    const secondsLeft = async (id: string): Promise<number> => {
      const [row] = await m.sql`
        select extract(epoch from mashup.estimate_completion(j) - mashup.now())::float8 as s from public.mashup_jobs j where id = ${id}`;
      return Number(row?.s);
    };
    const short = await m.submit(user, 2, { wanted: { length: 'short' } });
    const full = await m.submit(user, 2, { wanted: { length: 'full' } });
    assert.ok(Math.abs((await secondsLeft(full)) - (await secondsLeft(short)) - perSecond * 75) < 0.01);
    await m.sql`select mashup.cancel(${short})`;
    await m.run(worker, (task) => task.kind === 'render');
    const [plan] = await m.sql`
      update public.mashup_plans set plan = jsonb_set(plan, '{masterplan,timeline}', '[{"duration_sec": 20}, {"duration_sec": 30.5}]')
        where job_id = ${full} returning version`;
    assert.equal(plan?.version, 1);
    assert.ok(Math.abs((await secondsLeft(full)) - base - perSecond * 50.5) < 0.01);
  });

  it('has an iteration that enters at planning with its songs and scores', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const worker = await m.worker();
    const parent = await m.submit(user, 2);
    await m.run(worker);
    const [row] = await m.as(
      user,
      (tx) => tx`select public.iterate_mashup(${parent}, 'more energy') ->> 'job_id' as id`,
    );
    const kinds: string[] = [];
    await m.run(worker, (task) => {
      kinds.push(task.kind);
      return false;
    });
    assert.equal(kinds[0], 'plan');
    for (const kind of ['analyze', 'score', 'separate']) assert.ok(!kinds.includes(kind), kind);
    assert.equal((await m.job(row?.id)).stage, 'complete');
  });
});
