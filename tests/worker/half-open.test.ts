/** Connections that stay up and carry nothing any more: no error ever comes, and the worker has to find out by itself. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { startProxy } from '../chaos/proxy.ts';
import { openDatabase } from '../../worker/database/database.ts';
import { openQueue } from '../../worker/queue.ts';
import { watchSockets } from '../../worker/database/socket-watchdog.ts';
import { wavFile } from './sounds.ts';
import { until, useWorld } from './worker-fixture.ts';

const world = await useWorld({ after });
const songs = [await world.upload('a.wav', wavFile(120, 1)), await world.upload('b.wav', wavFile(120, 2))];
const { sql } = world;
const proxy = await startProxy(world.database.workerUrl);
after(() => proxy.close());

test('a worker all of whose connections went half-open takes tasks again within seconds although none of them ever ends', async () => {
  const worker = await world.work({ databaseUrl: proxy.url });
  assert.equal((await world.ended(await world.submit(songs))).stage, 'complete');
  proxy.cut();
  const id = await world.submit(songs);
  // Old connections stay dead for good; new ones get through.
  proxy.mend();
  const job = await world.ended(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  await worker.stop();
});

// Graphile Worker's runner waits for ever to end once two of its completions have failed at the same time.
test('a queue that was cut off while it completed two wake-ups takes others again, and frees what it held', async (t) => {
  const db = openDatabase(world.database.workerUrl, 2, watchSockets(25_000));
  const log: string[] = [];
  const taken: string[] = [];
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const queue = openQueue({
    databaseUrl: proxy.url,
    db,
    concurrency: 2,
    sockets: watchSockets(1_000),
    log: (_level, message) => log.push(message),
    onWakeup: async (payload) => {
      taken.push((payload as { name: string }).name);
      await gate;
    },
    onPool: () => {},
  });
  t.after(async () => {
    letGo();
    await queue.stop();
    await db.destroy();
  });
  const add = (name: string): Promise<unknown> =>
    sql`select graphile_worker.add_job('score', ${sql.json({ name })}::json)`.then(() => {});
  await Promise.all([add('one'), add('two')]);
  await until('both are taken', () => taken.length === 2);
  proxy.cut();
  letGo();
  await until(
    () => `the queue notices: ${log.join('; ')}`,
    () => log.some((message) => message.includes('Failed to complete')),
  );
  proxy.mend();
  await add('three');
  await until(
    () => `the third is taken: ${taken.join()}; log: ${log.join('; ')}`,
    () => taken.includes('three'),
  );
  await until('nothing is left in the queue', async () => {
    const [row] = await sql`select count(*)::int as n from graphile_worker._private_jobs`;
    return row?.['n'] === 0;
  });
});
