/** The list of a user's mashups: groups of versions, search, order, filter and pages. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const [user, stranger] = [await m.user(), await m.user()];

interface Found {
  groups_found: number;
  mashups_found: number;
  groups: { id: string; matched: string[]; mashups: { id: string; title: string }[] }[];
}
interface Row {
  title: string;
  status?: string;
  /** The first mashup of whose versions the row is, and its parent. */
  first?: string;
  feedback?: string;
  wishes?: string;
  songs?: { name: string; artist: string }[];
  lengthSec?: number;
  hold?: string;
}

let age = 100_000;

/** Inserts rows as they are, each newer than the one before. Returns their ids. */
async function insert(userId: string, rows: Row[]): Promise<string[]> {
  const ids = rows.map(() => randomUUID());
  await sql.begin(async (tx) => {
    // No triggers: rows of ended jobs are wanted as they are.
    await tx`alter table public.mashup_jobs disable trigger user`;
    for (const [i, { status = 'complete', songs = [], ...row }] of rows.entries()) {
      const cards = (songs.length > 0 ? songs : [{ name: 'A', artist: 'B' }]).map((song) => ({
        ...song,
        song_id: randomUUID(),
      }));
      await tx`insert into public.mashup_jobs ${tx({
        id: ids[i]!,
        user_id: userId,
        stage: status === 'processing' ? 'planning' : status,
        status,
        songs: tx.json(cards),
        options: tx.json(row.wishes === undefined ? {} : { wishes: row.wishes }),
        title: row.title,
        feedback: row.feedback ?? null,
        parent_id: row.first ?? null,
        first_id: row.first ?? null,
        hold: row.hold ?? null,
        error_code: status === 'failed' ? 'unknown' : null,
        result_path: status === 'complete' ? 'generated/a' : null,
        result: tx.json({ duration_sec: row.lengthSec ?? 60 }),
        created_at: new Date(Date.now() - 1000 * (age -= 1)),
      })}`;
    }
    await tx`alter table public.mashup_jobs enable trigger user`;
  });
  return ids;
}

const list = (userId: string, options: Record<string, string | number> = {}): Promise<Found> =>
  m.as(userId, async (tx) => {
    const named = Object.entries(options).map(([name, value]) => `${name} => '${String(value).replaceAll("'", "''")}'`);
    const [row] = await tx.unsafe(`select public.list_mashups(${named.join(', ')}) as found`);
    return row?.['found'] as Found;
  });
const titles = ({ groups }: Found): string[] =>
  groups.map(({ matched, mashups }) => mashups.find(({ id }) => id === matched[0])?.title ?? '');

const [first, , otherVersion] = await insert(user, [
  { title: 'River over Stone', lengthSec: 90, songs: [{ name: 'River', artist: 'The Ünicorns' }] },
  { title: 'apple', status: 'failed', lengthSec: 40, wishes: '100% drums_only' },
  { title: 'Zebra', lengthSec: 200, songs: [{ name: 'Cafe\u0301', artist: 'B' }] },
]);
const [second] = await insert(user, [
  { title: 'River, faster', first: first!, feedback: 'Make it faster', lengthSec: 70 },
]);
const [third] = await insert(user, [
  { title: 'River, slower', first: first!, feedback: 'slower again', status: 'processing' },
]);
await insert(user, [{ title: 'A draft', hold: 'planning', status: 'processing' }]);
await insert(stranger, [{ title: 'River of another user' }]);

describe('the list of mashups', () => {
  it('groups versions under their first mashup, newest first, without drafts and without those of other users', async () => {
    const found = await list(user);
    assert.deepEqual(titles(found), ['River, slower', 'Zebra', 'apple']);
    assert.deepEqual([found.groups_found, found.mashups_found], [3, 5]);
    const [group] = found.groups;
    assert.equal(group?.id, first);
    assert.deepEqual(
      group?.mashups.map(({ id }) => id),
      [first, second, third],
    );
    assert.deepEqual(group?.matched, [third, second, first]);
  });

  it('finds all words of a search in titles, songs, artists, wishes and feedback, and takes them literally', async () => {
    const search = async (text: string): Promise<string[]> => titles(await list(user, { search: text }));
    assert.deepEqual(await search('  STONE river '), ['River over Stone']);
    assert.deepEqual(await search('ünicorns'), ['River over Stone']);
    assert.deepEqual(await search('\u00dcnicorns'.normalize('NFD')), ['River over Stone'], 'decomposed characters');
    assert.deepEqual(await search('caf\u00e9'), ['Zebra'], 'decomposed characters in a name');
    assert.deepEqual(await search('make faster'), ['River, faster']);
    assert.deepEqual(await search('100% drums_'), ['apple']);
    assert.deepEqual(await search('%'), ['apple']);
    assert.deepEqual(await search("it's \\ nothing"), []);
    const { groups, mashups_found: count } = await list(user, { search: 'river' });
    assert.deepEqual([groups.length, count, groups[0]?.mashups.length], [1, 3, 3]);
  });

  it('sorts by title and length, and filters by state', async () => {
    const by = async (options: Record<string, string>): Promise<string[]> => titles(await list(user, options));
    assert.deepEqual(await by({ sort: 'title' }), ['apple', 'River, slower', 'Zebra']);
    assert.deepEqual(await by({ sort: 'longest' }), ['Zebra', 'River, slower', 'apple']);
    assert.deepEqual(await by({ sort: 'shortest', state: 'complete' }), ['River, faster', 'Zebra']);
    assert.deepEqual(await by({ sort: 'oldest' }), ['apple', 'Zebra', 'River, slower']);
    assert.deepEqual(await by({ state: 'failed' }), ['apple']);
    assert.deepEqual(await by({ state: 'processing' }), ['River, slower']);
    assert.deepEqual(await by({ state: 'draft' }), ['A draft']);
    await assert.rejects(by({ state: 'done' }), { code: 'MB006' });
    await assert.rejects(by({ sort: 'name' }), { code: 'MB006' });
    await assert.rejects(list(user, { page_size: 1000 }), { code: 'MB006' });
  });

  it('keeps versions together whose first mashup was deleted', async () => {
    const [gone, kept] = await insert(user, [{ title: 'Gone' }, { title: 'Kept', first: otherVersion! }]);
    const [x, y] = await insert(user, [
      { title: 'Left 1', first: gone! },
      { title: 'Left 2', first: gone! },
    ]);
    await sql`delete from public.mashup_jobs where id = ${gone!}`;
    const found = await list(user);
    assert.deepEqual(found.groups.find(({ id }) => id === gone)?.matched, [y, x]);
    assert.ok(found.groups.find(({ id }) => id === otherVersion)?.matched.includes(kept!));
  });

  it('keeps versions of versions in the group of their first mashup when one between them is deleted, and the first one', async () => {
    const owner = await m.user();
    const worker = await m.worker();
    const first = await m.submit(owner, 2);
    await m.run(worker);
    const version = async (parent: string): Promise<string> => {
      const [row] = await m.as(
        owner,
        (tx) => tx<{ id: string }[]>`select public.iterate_mashup(${parent}, 'More bass') ->> 'job_id' as id`,
      );
      await m.run(worker);
      return row!.id;
    };
    const middle = await version(first);
    const [left, right] = [await version(middle), await version(middle)];
    const last = await version(left);
    const groups = async (): Promise<string[][]> =>
      (await list(owner)).groups.map(({ id, mashups }) => [id, ...mashups.map((job) => job.id)]);
    assert.deepEqual(await groups(), [[first, first, middle, left, right, last]]);
    await m.as(owner, (tx) => tx`select public.delete_mashup(${middle})`);
    assert.deepEqual(await groups(), [[first, first, left, right, last]]);
    await m.as(owner, (tx) => tx`select public.delete_mashup(${first})`);
    assert.deepEqual(await groups(), [[first, left, right, last]]);
  });

  it('is read page by page, each group once, with hundreds of mashups', async (t) => {
    const owner = await m.user();
    await insert(
      owner,
      Array.from({ length: 300 }, (_, i) => ({ title: `Song ${i}` })),
    );
    const seen: string[] = [];
    let slowest = 0;
    for (let after: string | undefined, pages = 0; pages < 4; pages++) {
      const start = performance.now();
      const { groups, groups_found: count } = await list(owner, {
        page_size: 100,
        ...(after === undefined ? {} : { after }),
      });
      slowest = Math.max(slowest, performance.now() - start);
      assert.equal(count, 300);
      seen.push(...titles({ groups } as Found));
      after = groups.at(-1)?.id ?? after;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 300 }, (_, i) => `Song ${299 - i}`),
    );
    t.diagnostic(`a page of 100 of 300 groups takes ${slowest.toFixed(0)} ms`);
  });
});
