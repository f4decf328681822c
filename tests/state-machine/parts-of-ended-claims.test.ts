/** Playable parts while their job is cancelled or deleted, or their worker is lost: a late part changes nothing, and files are deleted. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { type ClaimedTask, useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;

// The places of aborted calls are free at once.
beforeEach(() => sql`update mashup.places set held_until = null`);

const partsOf = (task: ClaimedTask, ends: number[]): object => ({
  path: `${task.output_prefix}.parts`,
  sample_rate: 44_100,
  total_frames: 1_000_000,
  ends,
});

async function publish(task: ClaimedTask, ends: number[]): Promise<string> {
  const [row] = await sql<{ answer: string }[]>`
    select mashup.publish_playable(${task.task_id}, ${task.claim}, ${sql.json(partsOf(task, ends) as never)}) as answer`;
  return row?.answer ?? '';
}

/** Brings a job to its render, of which one part is published. */
async function publishingJob(worker: string): Promise<{ userId: string; id: string; render: ClaimedTask }> {
  const userId = await m.user();
  const id = await m.submit(userId);
  const render = await m.run(worker, ({ job_id, kind }) => job_id === id && kind === 'render');
  assert.ok(render);
  assert.equal(await publish(render, [44_100]), 'held');
  assert.deepEqual(await playableOf(id), partsOf(render, [44_100]));
  return { userId, id, render };
}

async function playableOf(id: string): Promise<unknown> {
  const [row] = await sql<{ playable: unknown }[]>`select playable from public.mashup_jobs where id = ${id}`;
  assert.ok(row);
  return row.playable;
}

/** Whether the outbox deletes what a claim wrote, later than the claim may be writing. */
async function isDiscarded({ output_prefix }: ClaimedTask): Promise<boolean> {
  const rows = await sql`select from mashup.storage_deletions
    where is_prefix and path = ${output_prefix} and not_before > mashup.now() + interval '5 minutes'`;
  return rows.length === 1;
}

describe('a part that is published late', () => {
  it('changes nothing of a cancelled job, whose parts are deleted', async () => {
    const { id, render } = await publishingJob(await m.worker());
    await sql`select mashup.cancel(${id})`;
    assert.equal(await playableOf(id), null);
    assert.equal(await publish(render, [44_100, 88_200]), 'cancelled');
    assert.equal(await playableOf(id), null);
    assert.ok(await isDiscarded(render));
  });

  it('changes nothing of a deleted job, whose parts are deleted at once and when no claim writes them any more', async () => {
    const { userId, id, render } = await publishingJob(await m.worker());
    await m.as(userId, (tx) => tx`select public.delete_mashup(${id})`);
    assert.equal(await publish(render, [44_100, 88_200]), 'lost');
    assert.deepEqual([...(await sql`select from public.mashup_jobs where id = ${id}`)], []);
    const atOnce = await sql`select from mashup.storage_deletions
      where is_prefix and path = ${`generated/${id}/`} and not_before <= mashup.now()`;
    assert.equal(atOnce.length, 1);
    assert.ok(await isDiscarded(render));
  });

  it('by a worker that lost its claim changes nothing, and the next claim begins without parts', async () => {
    const worker = await m.worker();
    const { id, render } = await publishingJob(worker);
    await sql`update mashup.tasks set lease_until = mashup.now() - interval '1 second' where id = ${render.task_id}`;
    await m.sweep();
    const again = await m.claimNext(await m.worker(), id);
    assert.equal(again?.kind, 'render');
    assert.notEqual(again.claim, render.claim);
    assert.equal(await playableOf(id), null, 'the row names no parts of an earlier claim');
    assert.equal(await publish(render, [44_100, 88_200]), 'lost');
    assert.equal(await playableOf(id), null);
    assert.ok(await isDiscarded(render));
    assert.equal(await publish(again, [22_050]), 'held');
    assert.deepEqual(await playableOf(id), partsOf(again, [22_050]));
    assert.equal(await m.finish(again), 'finished');
  });
});

describe('two jobs of the same songs at the same time', () => {
  it('both finish, with the same stems', async () => {
    const worker = await m.worker();
    const userId = await m.user();
    const songs = await m.songs(userId, 2);
    const submit = async (): Promise<string> => {
      const [row] = await m.as(
        userId,
        (tx) => tx<{ id: string }[]>`select public.submit_mashup(${tx.json(songs)}) ->> 'job_id' as id`,
      );
      return row?.id ?? '';
    };
    const ids = [await submit(), await submit()];
    await m.run(worker);
    const jobs = await Promise.all(ids.map((id) => m.job(id)));
    assert.deepEqual(
      jobs.map(({ stage }) => stage),
      ['complete', 'complete'],
    );
    const stems = jobs.map((job) => job.songs.map((song) => (song as { stems_id?: number }).stems_id));
    assert.deepEqual(stems[0], stems[1]);
  });
});
