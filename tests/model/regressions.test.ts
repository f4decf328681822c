/** Faults of jobs that the model test found, one test each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resultOf, useMachine } from '../state-machine/state-machine-fixture.ts';
import { claimKind, runAllBut } from './regressions-fixture.ts';

describe('a job is not stuck', () => {
  it('when a song is excluded while a plan that uses it is made', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '{"analysis": 3, "scoring": 4, "orchestrator": 4, "separation": 3, "processing": 1}'
      where name = 'service_limits'`;
    await m.sql`update mashup.settings set value = '"always"' where name = 'separate_early'`;
    const id = await m.submit(await m.user(), 3);
    for (let i = 0; i < 3; i++) await m.finish(await claimKind(m, worker, 'analyze', id));
    await m.finish(await claimKind(m, worker, 'score', id));
    const plan = await claimKind(m, worker, 'plan', id);
    await m.fail(await claimKind(m, worker, 'separate', id), 'permanent', 'separation_failed');
    await m.finish(plan);
    const job = await m.job(id);
    assert.deepEqual([job.stage, job.epoch], ['planning', 2], 'planned again, without the song');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('when a plan names songs that are not in the job', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.submit(await m.user(), 2);
    const plan = await m.run(worker, (task) => task.kind === 'plan');
    assert.ok(plan);
    await assert.rejects(m.finish(plan, { ...resultOf(plan), song_ids: ['somebody else’s'] }), { code: 'MB006' });
    await assert.rejects(m.finish(plan, { ...resultOf(plan), song_ids: [] }), { code: 'MB006' });
    assert.equal(await m.finish(plan), 'finished');
  });

  it('when the stems that its songs point to were deleted', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const parent = await m.submit(user, 2);
    await m.run(worker);
    await m.sql`delete from mashup.stems`;
    const [row] = await m.as(user, (tx) => tx`select public.iterate_mashup(${parent}, 'louder') ->> 'job_id' as id`);
    await m.run(worker);
    assert.equal((await m.job(row?.id)).stage, 'complete');
  });

  it('when the stems that it made are deleted before it renders', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '"always"' where name = 'separate_early'`;
    const id = await m.submit(await m.user(), 2);
    const plan = await m.run(worker, (task) => task.kind === 'plan');
    assert.ok(plan);
    await runAllBut(m, worker, 'plan', id);
    await m.sql`delete from mashup.stems`;
    await m.finish(plan);
    assert.equal((await m.job(id)).stage, 'separating');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('when it is retried after a song was excluded', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 3);
    const bad = await m.claimNext(worker, id);
    assert.ok(bad);
    await m.fail(bad, 'permanent', 'audio_silent');
    const render = await m.run(worker, (task) => task.kind === 'render');
    assert.ok(render);
    await m.fail(render, 'permanent', 'render_failed');
    await m.sql`select mashup.retry(${id})`;
    assert.equal((await m.job(id)).stage, 'rendering');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('when it uses cached stems for longer than they are kept', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    await m.run(worker, (task) => task.kind === 'render');
    await m.moveClock(8 * 86_400);
    await m.sweep();
    const [stems] = await m.sql`select count(*)::int as n from mashup.stems`;
    assert.equal(stems?.n, 2);
    assert.equal((await m.job(id)).stage, 'rendering');
  });

  it('when another worker runs a solo task that was reserved by the first', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const [solo, second] = await m.ready(id);
    assert.ok(solo && second);
    await m.sql`update mashup.tasks set crashes = 2 where id = ${solo.id}`;
    const [busy, free] = [await m.worker(), await m.worker()];
    const held = await m.claim(busy, second);
    assert.ok(held.status === 'claimed');
    assert.equal((await m.claim(busy, solo)).status, 'deferred');
    const again = (await m.ready(id)).find((task) => task.id === solo.id);
    assert.ok(again);
    assert.equal((await m.claim(free, again)).status, 'claimed');
    await m.finish(held);
    await m.submit(await m.user(), 2);
    const [next] = await m.ready();
    assert.ok(next);
    assert.equal((await m.claim(busy, next)).status, 'claimed', 'it waits for nothing any more');
  });
});

describe('a complete job', () => {
  it('leaves no unfinished task for a song that its plan does not use', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '"always"' where name = 'separate_early'`;
    const id = await m.submit(await m.user(), 3);
    const score = await m.run(worker, (task) => task.kind === 'score');
    assert.ok(score);
    await m.finish(score);
    const held = await claimKind(m, worker, 'separate', id);
    await m
      .run(worker, (task) => task.kind === 'plan')
      .then((plan) => {
        assert.ok(plan);
        const used = plan.songs.map((song) => song.song_id).filter((song) => song !== held.song_id);
        return m.finish(plan, { ...resultOf(plan), song_ids: used });
      });
    await m.run(worker);
    const done = await m.job(id);
    assert.equal(done.stage, 'complete');
    assert.equal(await m.finish(held), 'lost');
    assert.deepEqual(await m.job(id), done);
    const [live] =
      await m.sql`select count(*)::int as n from mashup.tasks where job_id = ${id} and state in ('waiting', 'ready', 'running')`;
    assert.equal(live?.n, 0);
  });
});
