/** The cache of stems keeps layouts apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClaimedTask, resultOf, useMachine } from './state-machine-fixture.ts';

test('stems of one layout are not given to equal bytes that need another layout', async (t) => {
  const m = await useMachine(t);
  const worker = await m.worker();
  const user = await m.user();

  /** Runs a job with a song of the same bytes each time. Returns its stems, and whether they were separated for it. */
  async function run(layout?: string): Promise<{ stems: unknown; isSeparated: boolean }> {
    const id = await m.submit(user, 2);
    const shared = (await m.job(id)).songs[0]?.song_id;
    let isSeparated = false;
    for (let task: ClaimedTask | null | undefined; (task = await m.claimNext(worker, id));) {
      const isShared = task.song_id === shared;
      if (isShared && task.kind === 'analyze') {
        await m.finish(task, { ...resultOf(task), content_hash: 'the same', stem_layout: layout });
      } else if (isShared && task.kind === 'separate') {
        isSeparated = true;
        await m.finish(task, { ...resultOf(task), layout });
      } else await m.finish(task);
    }
    const [row] = await m.sql`
      select s ->> 'stems_id' as stems, j.stage from mashup_jobs j, jsonb_array_elements(j.songs) s
      where j.id = ${id} and s ->> 'song_id' = ${String(shared)}`;
    assert.equal(row?.stage, 'complete');
    return { stems: row?.stems, isSeparated };
  }

  const voices = await run('voices_only');
  const four = await run();
  assert.ok(voices.isSeparated && four.isSeparated);
  assert.notEqual(four.stems, voices.stems);
  assert.deepEqual(await run('voices_only'), { stems: voices.stems, isSeparated: false });
  assert.deepEqual(await run(), { stems: four.stems, isSeparated: false });
  const gone = await m.sql`select path from mashup.storage_deletions where not is_prefix`;
  assert.equal(gone.length, 0, 'no layout replaces another');
});
