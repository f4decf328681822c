/** Half-open connections stay open and transfer nothing. They raise no error, so the worker must detect them. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { startHalfOpenProxy } from '../chaos/half-open-proxy.ts';
import { openDatabase } from '../../worker/database/database.ts';
import { openQueue } from '../../worker/queue.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';
import { wavFile } from './wav-file.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const fixture = await useWorkerFixture({ after });
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const { sql } = fixture;
const proxy = await startHalfOpenProxy(fixture.database.workerUrl);
after(() => proxy.close());

test('a worker whose connections are all half-open takes tasks again within seconds', async () => {
  const worker = await fixture.startWorker({ databaseUrl: proxy.url });
  assert.equal((await fixture.untilEnded(await fixture.submit(songs))).stage, 'complete');
  proxy.cut();
  const id = await fixture.submit(songs);
  // Old connections stay half-open; new ones work.
  proxy.restore();
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  await worker.stop();
});

// graphile-worker 0.18.0 never ends a runner after two of its completions have failed at the same time.
test('a queue that loses its connections while it completes two entries takes others again and unlocks its entries', async (t) => {
  const db = openDatabase(fixture.database.workerUrl, 2, startSocketWatchdog(25_000));
  const log: string[] = [];
  const taken: string[] = [];
  let openGate: () => void = () => {};
  const gate = new Promise<void>((resolve) => (openGate = resolve));
  const queue = openQueue({
    databaseUrl: proxy.url,
    db,
    concurrency: 2,
    sockets: startSocketWatchdog(1_000),
    log: (_level, message) => log.push(message),
    onEntry: async (payload) => {
      taken.push((payload as { name: string }).name);
      await gate;
    },
    onPool: () => {},
  });
  t.after(async () => {
    openGate();
    await queue.stop();
    await db.destroy();
  });
  const add = (name: string): Promise<unknown> =>
    sql`select mashup_queue.add_job('mashup:score', ${sql.json({ name })}::json)`.then(() => {});
  await Promise.all([add('one'), add('two')]);
  await until('both are taken', () => taken.length === 2);
  proxy.cut();
  openGate();
  await until(
    () => `the queue notices: ${log.join('; ')}`,
    () => log.some((message) => message.includes('Failed to complete')),
  );
  proxy.restore();
  await add('three');
  await until(
    () => `the third is taken: ${taken.join()}; log: ${log.join('; ')}`,
    () => taken.includes('three'),
  );
  await until('the queue is empty', async () => {
    const [row] = await sql`select count(*)::int as n from mashup_queue._private_jobs`;
    return row?.['n'] === 0;
  });
});
