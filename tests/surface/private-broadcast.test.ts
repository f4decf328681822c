/** Runs the steps of docs/how-to/scaling.md for private Broadcast, from the trigger to the client. The SQL is read from the page. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { RealtimeChannel } from '@supabase/supabase-js';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import type { Visitor } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';

const surface = await startFunctionsFixture({ after }, { functions: false });

interface Joined {
  channel: RealtimeChannel;
  states: string[];
  /** Each as `extension status`. */
  system: string[];
  received: Record<string, unknown>[];
}

/** Joins as step 3 describes. */
async function joinJob({ client }: Visitor, id: string): Promise<Joined> {
  await client.realtime.setAuth();
  const joined: Omit<Joined, 'channel'> = { states: [], system: [], received: [] };
  const channel = client
    .channel(`job:${id}`, { config: { private: true, broadcast: { replication_ready: true } } })
    .on('system', {}, ({ extension, status }: Record<string, string>) => joined.system.push(`${extension} ${status}`))
    .on('broadcast', { event: 'job' }, ({ payload }) => joined.received.push(payload as Record<string, unknown>))
    .subscribe((state) => joined.states.push(state));
  await until('the join has its reply', () => joined.states.length > 0);
  return { channel, ...joined };
}

it('private Broadcast: the owner of a job receives each change of its row in order, and nobody else may join', async () => {
  const { machine } = surface;
  const page = await readFile(join(import.meta.dirname, '../../docs/how-to/scaling.md'), 'utf8');
  const steps = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql ?? '');
  for (const sql of steps) await machine.sql.unsafe(sql);

  const [owner, other] = [await surface.visitor(), await surface.visitor()];
  const id = await machine.submit(owner.id);
  const mine = await joinJob(owner, id);
  assert.deepEqual(mine.states, ['SUBSCRIBED']);
  const theirs = await joinJob(other, id);
  assert.equal(theirs.states[0], 'CHANNEL_ERROR');
  await other.client.removeChannel(theirs.channel);
  await until('the stream is ready', () => mine.system.length > 0);
  assert.deepEqual(mine.system, ['system ok']);

  const worker = await machine.worker();
  for (;;) {
    const task = await machine.claimNext(worker, id);
    if (task === undefined) break;
    await machine.finish(task);
  }
  const last = await machine.job(id);
  await until('the last change is received', () => mine.received.at(-1)?.['version'] === last.version);
  const versions = mine.received.map((row) => Number(row['version']));
  assert.deepEqual(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
  );
  const row = mine.received.at(-1);
  assert.deepEqual([row?.['id'], row?.['stage'], row?.['songs']], [id, 'complete', last.songs]);
  assert.deepEqual(theirs.received, []);

  // Last step: subscriptions to the table receive nothing more.
  const [published] = await machine.sql`
    select from pg_publication_tables where pubname = 'supabase_realtime' and tablename = 'mashup_jobs'`;
  assert.equal(published, undefined);
});
