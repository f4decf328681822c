/** The opening of a mashup: when it is to be rendered beside a separation, and what remains of it when the separation ends. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type ClaimedTask, resultOf, useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const worker = await m.worker();

const pieces = ({ output_prefix: prefix }: ClaimedTask, ends: number[]): object => ({
  pieces: ends.map((end, i) => ({
    start_sec: ends[i - 1] ?? 0,
    end_sec: end,
    ...Object.fromEntries(['vocals', 'drums', 'bass', 'other'].map((stem) => [stem, `${prefix}/${stem}.${end}.flac`])),
  })),
});

/** Claims the separate tasks of a new job; its plan plays 40 s of both songs, and its opening 10 s of them. */
async function separations(): Promise<{ id: string; tasks: ClaimedTask[] }> {
  // Those of other tests would keep the places.
  await m.sql`delete from mashup_jobs`;
  await m.sql`update mashup.places set held_until = null where service = 'separation'`;
  const id = await m.submit(await m.user(), 2);
  const tasks: ClaimedTask[] = [];
  for (let task: ClaimedTask | undefined; (task = await m.claimNext(worker, id));) {
    if (task.kind === 'separate') tasks.push(task);
    else {
      const result = resultOf(task) as Record<string, unknown>;
      const played = (end: number): object => Object.fromEntries(task!.songs.map((song) => [song.song_id, [[0, end]]]));
      if (task.kind === 'plan') {
        result['ranges'] = played(40);
        result['opening'] = { sections: 1, ranges: played(10) };
      }
      await m.finish(task, result);
    }
    if (tasks.length === 2) break;
  }
  return { id, tasks };
}

interface Answer {
  status: string;
  path?: string;
  sections?: number;
  stems?: Record<string, unknown>;
}

async function report(task: ClaimedTask, stems: object = pieces(task, [10])): Promise<Answer> {
  const [row] = await m.sql<{ answer: Answer }[]>`
    select mashup.report_opening(${task.task_id}, ${task.claim}, ${m.sql.json(stems as never)}) as answer`;
  return row!.answer;
}

async function publish(task: ClaimedTask, path: string, count = 1): Promise<string> {
  const ends = Array.from({ length: count }, (_, i) => 1_000 * (i + 1));
  const playable = { path, sample_rate: 44_100, total_frames: 1_000_000, ends };
  const [row] = await m.sql<{ answer: string }[]>`
    select mashup.publish_playable(${task.task_id}, ${task.claim}, ${m.sql.json(playable)}) as answer`;
  return row!.answer;
}

async function playablePath(id: string): Promise<string | undefined> {
  const [row] = await m.sql<
    { path: string | null }[]
  >`select playable ->> 'path' as path from mashup_jobs where id = ${id}`;
  return row?.path ?? undefined;
}

const finishWith = (task: ClaimedTask): Promise<string> =>
  m.finish(task, { ...(resultOf(task) as object), paths: pieces(task, [10, 40]) });

/** A job whose second separation renders the opening and has published its first part. */
async function opened(): Promise<{ id: string; tasks: ClaimedTask[]; path: string }> {
  const { id, tasks } = await separations();
  await report(tasks[0]!);
  const { path } = await report(tasks[1]!);
  assert.equal(await publish(tasks[1]!, path!), 'held');
  return { id, tasks, path: path! };
}

test('the separation that reports last renders the opening, once, with the stems of all its songs', async () => {
  const { id, tasks } = await separations();
  const [first, second] = tasks as [ClaimedTask, ClaimedTask];
  assert.deepEqual(await report(first), { status: 'held' });
  const answer = await report(second);
  assert.equal(answer.path, `generated/${id}/open-${second.claim}.parts`);
  assert.equal(answer.sections, 1);
  assert.deepEqual(answer.stems, {
    [first.song_id!]: pieces(first, [10]),
    [second.song_id!]: pieces(second, [10]),
  });
  assert.deepEqual(await report(second), { status: 'held' });
  await assert.rejects(publish(first, answer.path!), { code: 'MB006' });
  await assert.rejects(publish(second, `generated/${id}/open-of-another.parts`), { code: 'MB006' });
  const [row] = await m.sql`select from mashup.storage_deletions where is_prefix and path = ${`${answer.path}/`}`;
  assert.ok(row, 'its folder is deleted in any case');
});

test('the stems of the cache count, and a task that lost its claim does not', async () => {
  const { tasks } = await separations();
  const [first, second] = tasks as [ClaimedTask, ClaimedTask];
  assert.equal(await finishWith(first), 'finished');
  assert.ok((await report(second)).path);

  const other = await separations();
  await report(other.tasks[0]!);
  await m.sql`select mashup.return_task(${other.tasks[0]!.task_id}, ${other.tasks[0]!.claim})`;
  assert.deepEqual(await report(other.tasks[1]!), { status: 'held' });
});

test('no opening is rendered while the rendering service has no free place, or if the setting is 0', async (t) => {
  const busy = await separations();
  await m.sql`update mashup.places set held_until = now() + interval '1 hour' where service = 'processing'`;
  t.after(() => m.sql`update mashup.places set held_until = null where service = 'processing'`);
  for (const task of busy.tasks) assert.deepEqual(await report(task), { status: 'held' });
  await m.sql`update mashup.settings set value = '0' where name = 'openings_in_spare_places'`;
  t.after(() => m.sql`update mashup.settings set value = '1' where name = 'openings_in_spare_places'`);
  const { id } = await separations();
  assert.deepEqual([...(await m.sql`select opening from mashup_plans where job_id = ${id}`)], [{ opening: null }]);
});

test('its parts stay in the row until the render has more', async () => {
  const { id, tasks, path } = await opened();
  for (const task of tasks) assert.equal(await finishWith(task), 'finished');
  assert.equal((await m.job(id)).stage, 'rendering');
  assert.equal(await playablePath(id), path);
  const render = (await m.claimNext(worker, id))!;
  assert.equal(await playablePath(id), path);
  await publish(render, `${render.output_prefix}.parts`, 1);
  assert.equal(await playablePath(id), path);
  await publish(render, `${render.output_prefix}.parts`, 2);
  assert.equal(await playablePath(id), `${render.output_prefix}.parts`);
  assert.equal(await publish(tasks[1]!, path, 3), 'lost');
});

test('a render that follows one with parts begins without them', async () => {
  const { id, tasks } = await opened();
  for (const task of tasks) await finishWith(task);
  const render = (await m.claimNext(worker, id))!;
  await publish(render, `${render.output_prefix}.parts`, 2);
  await m.sql`select mashup.return_task(${render.task_id}, ${render.claim})`;
  assert.ok(await m.claimNext(worker, id));
  assert.equal(await playablePath(id), undefined);
});

for (const [name, end] of [
  ['cancelled', (id: string) => m.sql`update mashup_jobs set stage = 'cancelled' where id = ${id}`],
  ['replayed', (id: string) => m.sql`update mashup_jobs set stage = 'separating' where id = ${id}`],
  ['deleted', (id: string) => m.sql`delete from mashup_jobs where id = ${id}`],
] as const) {
  test(`a job that is ${name} while its opening is rendered names it no longer, and late parts change nothing`, async () => {
    const { id, tasks, path } = await opened();
    await end(id);
    assert.equal(await playablePath(id), undefined);
    assert.notEqual(await publish(tasks[1]!, path, 2), 'held');
    assert.notEqual((await report(tasks[1]!)).status, 'held');
    assert.equal(await playablePath(id), undefined);
  });
}

test('a failed separation is repeated, and what is published of the opening stays', async () => {
  const { id, tasks, path } = await opened();
  await m.sql`select mashup.return_task(${tasks[1]!.task_id}, ${tasks[1]!.claim})`;
  const again = (await m.claimNext(worker, id))!;
  assert.equal(await playablePath(id), path);
  assert.deepEqual(await report(again), { status: 'held' });
  for (const task of [tasks[0]!, again]) assert.equal(await finishWith(task), 'finished');
  assert.equal((await m.job(id)).stage, 'rendering');
});
