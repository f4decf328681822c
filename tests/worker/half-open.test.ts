/** Connections that stay up and carry nothing any more: no error ever comes, and the worker has to find out by itself. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { startProxy } from '../chaos/proxy.ts';
import { wavFile } from './sounds.ts';
import { useWorld } from './world.ts';

const world = await useWorld({ after });
const songs = [await world.upload('a.wav', wavFile(120, 1)), await world.upload('b.wav', wavFile(120, 2))];

test('a worker all of whose connections went half-open takes tasks again although none of them ever ends', async (t) => {
  const proxy = await startProxy(world.database.workerUrl);
  t.after(() => proxy.close());
  const worker = await world.work({ databaseUrl: proxy.url, limits: { answerTimeoutMs: 2_000 } });
  assert.equal((await world.ended(await world.submit(songs))).stage, 'complete');
  proxy.cut();
  const id = await world.submit(songs);
  // Old connections stay dead for good; new ones get through.
  proxy.mend();
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  await worker.stop();
});
