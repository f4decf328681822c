/** What is separated of songs, and when: the parts that a plan plays, more of them later, whole songs of drafts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClaimedTask, type Machine, resultOf, useMachine } from './state-machine-fixture.ts';

type Range = [from: number, to: number];

/** A job whose songs have bytes of their own, the first one those of `hash`. `played` are the ranges of its first song; whole without. */
type RunOptions = { hash: string; played?: Range[]; hold?: string };

const STEMS = ['vocals', 'drums', 'bass', 'other'];

/** Paths of the stems of a range, below the prefix of a claim. */
function pieceOf({ output_prefix: prefix }: ClaimedTask, [from, to]: Range): object {
  const paths = STEMS.map((stem) => [stem, `${prefix}/${stem}.${from}.flac`]);
  return { start_sec: from, end_sec: to, ...(Object.fromEntries(paths) as object) };
}

/** Finishes a task of a job as its services would; `pieces` are returned for the first song, else whole stems. */
async function finishAs(
  m: Machine,
  task: ClaimedTask,
  { hash, played }: RunOptions,
  pieces?: Range[],
): Promise<string> {
  const shared = task.songs[0]!.song_id;
  const result = resultOf(task) as Record<string, unknown>;
  if (task.kind === 'analyze' && task.song_id === shared) result['content_hash'] = hash;
  if (task.kind === 'plan' && played) result['ranges'] = { [shared]: played };
  if (task.kind === 'separate' && task.song_id === shared && pieces)
    result['paths'] = { pieces: pieces.map((range) => pieceOf(task, range)) };
  return m.finish(task, result);
}

async function machine(scope: { after: (fn: () => Promise<void>) => void }): Promise<{
  m: Machine;
  start: (options: RunOptions, user: string) => Promise<string>;
  /** Runs a job until a task of `stop`, which is not finished, or its end. Returns the finished tasks as `kind` or `kind:first`. */
  run: (
    id: string,
    options: RunOptions,
    more?: { pieces?: Range[]; stop?: string },
  ) => Promise<{ tasks: string[]; stopped: ClaimedTask | undefined }>;
}> {
  const m = await useMachine(scope as never);
  const worker = await m.worker();
  return {
    m,
    start: ({ hold }, user) => m.submit(user, 2, { ...(hold ? { hold } : {}) }),
    run: async (id, options, { pieces, stop } = {}) => {
      const tasks: string[] = [];
      for (let task: ClaimedTask | null | undefined; (task = await m.claimNext(worker, id));) {
        if (task.kind === stop) return { tasks, stopped: task };
        const isFirst = task.kind === 'separate' && task.song_id === task.songs[0]!.song_id;
        tasks.push(isFirst ? 'separate first' : task.kind);
        await finishAs(m, task, options, pieces);
      }
      return { tasks, stopped: undefined };
    },
  };
}

/** Starts and ends of the cached pieces of a song. */
async function spansOf(m: Machine, hash: string): Promise<unknown> {
  const [row] = await m.sql<{ spans: unknown }[]>`
    select (select jsonb_agg(jsonb_build_array(p -> 'start_sec', p -> 'end_sec')) from jsonb_array_elements(paths -> 'pieces') p) as spans
    from mashup.stems where content_hash = ${hash}`;
  return row?.spans;
}

describe('separation by ranges', () => {
  test('separates what a plan plays after planning, and later only what is missing', async (t) => {
    const { m, start, run } = await machine(t);
    const user = await m.user();
    const jobWith = async (played: Range[] | undefined, pieces?: Range[]): Promise<string[]> => {
      const options = { hash: 'one', played };
      const id = await start(options, user);
      const { tasks } = await run(id, options, { pieces });
      assert.equal((await m.job(id)).stage, 'complete');
      return tasks.filter((kind) => kind !== 'separate');
    };
    const planned = ['analyze', 'analyze', 'score', 'plan'];
    assert.deepEqual(await jobWith([[10, 50]], [[8, 52]]), [...planned, 'separate first', 'render']);
    assert.deepEqual(
      await jobWith([
        [20, 30],
        [40, 52],
      ]),
      [...planned, 'render'],
      'the cache holds both ranges',
    );
    assert.deepEqual(await jobWith([[40, 70]], [[50, 72]]), [...planned, 'separate first', 'render']);
    assert.deepEqual(await spansOf(m, 'one'), [
      [8, 52],
      [50, 72],
    ]);
    assert.deepEqual(await jobWith([[9, 71]]), [...planned, 'render'], 'two pieces that meet hold a range together');
    assert.deepEqual(await jobWith([[30, 60]], [[49, 80]]), [...planned, 'render']);
    // The whole song replaces its pieces.
    assert.deepEqual(await jobWith(undefined), [...planned, 'separate first', 'render']);
    assert.equal(await spansOf(m, 'one'), null);
    const [gone] =
      await m.sql`select count(*)::int as n from mashup.storage_deletions where path like '%.flac' and not_before > mashup.now()`;
    assert.equal(gone?.n, 8);
    assert.deepEqual(await jobWith([[100, 120]]), [...planned, 'render']);
  });

  test('pieces that others contain are deleted, and pieces never replace whole stems', async (t) => {
    const { m } = await machine(t);
    const pieces = (...spans: Range[]): object => ({
      pieces: spans.map(([start_sec, end_sec]) => ({ start_sec, end_sec, vocals: `${start_sec}-${end_sec}` })),
    });
    const merged = async (old: object, fresh: object): Promise<unknown> => {
      const [row] =
        await m.sql`select mashup.merge_stems(${m.sql.json(old as never)}, ${m.sql.json(fresh as never)}) as paths`;
      return row?.paths;
    };
    assert.deepEqual(await merged(pieces([0, 10], [20, 30]), pieces([18, 40])), pieces([0, 10], [18, 40]));
    assert.deepEqual(await merged(pieces([0, 40]), pieces([10, 20])), pieces([0, 40]));
    const whole = { vocals: 'w' };
    assert.deepEqual(await merged(whole, pieces([0, 10])), whole);
    assert.deepEqual(await merged(pieces([0, 10]), whole), whole);
    const covers = async (ranges: Range[] | null): Promise<unknown> =>
      (
        await m.sql`select mashup.stems_cover(${m.sql.json(pieces([0, 10], [9, 30]) as never)}, ${m.sql.json(ranges as never)}) as c`
      )[0]?.c;
    assert.deepEqual(
      [await covers([[0, 30]]), await covers([[5, 31]]), await covers([]), await covers(null)],
      [true, false, false, false],
    );
  });

  test('the songs of a draft are separated whole while it waits for its user', async (t) => {
    const { m, start, run } = await machine(t);
    const user = await m.user();
    const options: RunOptions = { hash: 'draft', played: [[10, 50]], hold: 'planning' };
    const id = await start(options, user);
    const draft = await run(id, options);
    assert.deepEqual(draft.tasks.sort(), ['analyze', 'analyze', 'score', 'separate', 'separate first']);
    const { waiting_on, songs } = await m.job(id);
    assert.equal(waiting_on, 'user');
    assert.deepEqual(
      songs.map(({ state }) => state),
      ['ready', 'ready'],
    );
    await m.as(user, (tx) => tx`select public.start_mashup(${id})`);
    assert.deepEqual((await run(id, options)).tasks, ['plan', 'render']);
  });

  test('separate_early decides when whole songs are separated', async (t) => {
    const { m, start, run } = await machine(t);
    const user = await m.user();
    const tasksWith = async (value: string, options: RunOptions): Promise<string[]> => {
      await m.sql`update mashup.settings set value = ${m.sql.json(value)} where name = 'separate_early'`;
      const id = await start(options, user);
      return (await run(id, options)).tasks;
    };
    const early = await tasksWith('always', { hash: 'always', played: [[1, 2]] });
    assert.ok(early.indexOf('separate first') < early.indexOf('render'));
    const [plan] = await m.sql`select ranges from public.mashup_plans`;
    assert.equal(plan?.ranges, null, 'an external renderer reads whole stems');
    assert.deepEqual((await tasksWith('never', { hash: 'never', hold: 'planning' })).sort(), [
      'analyze',
      'analyze',
      'score',
    ]);
    await assert.rejects(
      m.sql`update mashup.settings set value = '"sometimes"' where name = 'separate_early'`,
      /"held", "always" or "never"/,
    );
  });

  test('a render that misses parts of a song gets them, then the whole song, then fails', async (t) => {
    const { m, start, run } = await machine(t);
    // The place of a call that ended early is held for a while. Here it is free at once.
    await m.sql`update mashup.settings set value = value || '{"processing": 0}' where name = 'service_abort_hold_sec'`;
    const options: RunOptions = { hash: 'missed', played: [[10, 20]] };
    const id = await start(options, await m.user());
    const report = async (pieces?: Range[]): Promise<string> => {
      const { stopped } = await run(id, options, { pieces, stop: 'render' });
      const [row] = await m.sql<{ answer: string }[]>`
        select mashup.report_missing_ranges(${stopped!.task_id}, ${stopped!.claim}, ${m.sql.json({ [stopped!.songs[0]!.song_id]: [[30, 40]] })}) as answer`;
      return row!.answer;
    };
    assert.equal(await report([[10, 20]]), 'remaking');
    assert.equal((await m.job(id)).stage, 'separating');
    assert.equal(await report([[30, 40]]), 'remaking');
    assert.deepEqual(await spansOf(m, 'missed'), [
      [10, 20],
      [30, 40],
    ]);
    assert.equal(await report(), 'failed');
    assert.equal(await spansOf(m, 'missed'), null, 'the whole song was separated');
    const { stage, error_code } = await m.job(id);
    assert.deepEqual([stage, error_code], ['failed', 'stems_missing']);
  });
});
