/** Triggers of integrators on the tables of the engine, and the events that replace them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Machine, useMachine } from './state-machine-fixture.ts';

/** Creates a trigger that names its table without a schema, as an integrator may do. */
async function createHook(m: Machine, when: string): Promise<void> {
  await m.sql`create table public.finished_mashups (job_id uuid)`;
  await m.sql.unsafe(`
    create function public.note_end() returns trigger language plpgsql as $$
    begin insert into finished_mashups values (new.id); return new; end $$;
    create trigger note_end after update of stage on public.mashup_jobs for each row when (${when}) execute function public.note_end()`);
}

describe('a trigger of an integrator that fails', () => {
  it('fails the job with a typed error that names it, and does not retry', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await createHook(m, "new.stage = 'complete'");
    const id = await m.submit(await m.user(), 2);
    const task = await m.run(worker, ({ kind }) => kind === 'render');
    assert.ok(task);
    assert.equal(await m.finish(task), 'failed');
    const job = await m.job(id);
    assert.deepEqual([job.stage, job.error_code], ['failed', 'hook_failed']);
    assert.match(
      job.error_message ?? '',
      /trigger note_end on public\.mashup_jobs \(function public\.note_end\(\)\) failed: .*finished_mashups/,
    );
    assert.match(job.error_hint ?? '', /empty search_path.*docs\/how-to\/hooks\.md/);
    assert.equal((await m.sql`select from mashup.storage_deletions`).length, 1, 'the output of the attempt is deleted');

    await m.sql`alter function public.note_end() set search_path = 'public'`;
    await m.sql`select mashup.retry(${id})`;
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
    assert.equal((await m.sql`select from finished_mashups`).length, 1);
  });

  it('is named by mashup.stuck if it also keeps the job from failing', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await createHook(m, "new.status <> 'processing'");
    const id = await m.submit(await m.user(), 2);
    const task = await m.run(worker, ({ kind }) => kind === 'render');
    assert.ok(task);
    assert.equal(await m.finish(task), 'failed');
    assert.equal((await m.job(id)).stage, 'rendering');
    const [row] = await m.sql`select cause, why from mashup.stuck where id = ${id}`;
    assert.equal(row?.cause, 'hook');
    assert.match(row.why, /trigger note_end/);
    assert.equal((await m.ready(id)).length, 0, 'no attempt follows');

    await m.sql`drop trigger note_end on public.mashup_jobs`;
    await m.sql`update public.mashup_jobs set stage = stage where id = ${id}`;
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });
});

describe('events', () => {
  it('are written with the end of a job, once for each end, in order', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const id = await m.submit(user, 2);
    await m.run(worker);
    await m.sql`update public.mashup_jobs set stage = 'planning' where id = ${id}`;
    await m.sql`update public.mashup_jobs set stage = 'cancelled' where id = ${id}`;
    await m.sql`select mashup.retry(${id})`;
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.fail(task, 'permanent', 'plan_refused');
    const events = await m.sql<{ type: string; payload: { type: string; data: Record<string, unknown> } }[]>`
      select type, payload from mashup.outgoing_events where job_id = ${id} order by seq`;
    assert.deepEqual(
      events.map(({ type }) => type),
      ['job.complete', 'job.cancelled', 'job.failed'],
    );
    const { data } = events[2]?.payload ?? assert.fail();
    assert.deepEqual(
      [data['job_id'], data['user_id'], data['error_code'], data['epoch']],
      [id, user, 'plan_refused', 5],
    );
  });

  it('of one job are delivered one after the other, and are due again after a loss or a failure', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    await m.sql`update public.mashup_jobs set stage = 'cancelled' where id = ${id}`;
    await m.sql`select mashup.retry(${id})`;
    await m.sql`update public.mashup_jobs set stage = 'cancelled' where id = ${id}`;
    const claim = async (): Promise<{ seq: string; id: string }[]> => [
      ...(await m.sql<{ seq: string; id: string }[]>`select seq, id from mashup.claim_outgoing_events(10)`),
    ];
    const [first, ...others] = await claim();
    assert.ok(first);
    assert.equal(others.length, 0, 'the second waits for the first');
    assert.equal((await claim()).length, 0, 'it is leased');
    await m.moveClock(31);
    assert.equal((await claim())[0]?.id, first.id, 'its worker was lost');
    await m.sql`select mashup.complete_outgoing_event(${first.seq}, 'HTTP 500')`;
    assert.equal((await claim()).length, 0, 'it backs off');
    await m.moveClock(40);
    assert.equal((await claim())[0]?.id, first.id);
    await m.sql`select mashup.complete_outgoing_event(${first.seq})`;
    const [second] = await claim();
    assert.ok(second && second.id !== first.id);
    await m.sql`select mashup.complete_outgoing_event(${second.seq})`;
    await m.moveClock(8 * 86_400);
    await m.sweep();
    assert.equal(
      (await m.sql`select from mashup.outgoing_events where created_at < mashup.now() - interval '7 days'`).length,
      0,
    );
  });
});
