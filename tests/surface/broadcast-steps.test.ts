/** The steps of docs/scaling.md for private Broadcast, taken from the page itself, as far as a database can tell. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { until, useSurface } from '../functions/world.ts';

const surface = await useSurface({ after }, { functions: false });

it('private Broadcast: the owner may join the channel of a job and nobody else, and each change is sent', async () => {
  const { machine } = surface;
  const page = await readFile(join(import.meta.dirname, '../../docs/scaling.md'), 'utf8');
  const steps = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql ?? '');
  assert.equal(steps.length, 2);
  for (const sql of steps) await machine.sql.unsafe(sql);

  const [owner, other] = [await surface.visitor(), await surface.visitor()];
  const id = await machine.submit(owner.id);
  const stateOf = async ({ client }: typeof owner): Promise<string> => {
    await client.realtime.setAuth();
    const states: string[] = [];
    const channel = client.channel(`job:${id}`, { config: { private: true } }).subscribe((state) => states.push(state));
    await until('the join is answered', () => states.length > 0);
    await client.removeChannel(channel);
    return states[0] ?? '';
  };
  assert.equal(await stateOf(owner), 'SUBSCRIBED');
  assert.equal(await stateOf(other), 'CHANNEL_ERROR');

  await machine.sql`select mashup.cancel(${id})`;
  const sent = await machine.sql<{ payload: { stage: string; version: number }; topic: string; private: boolean }[]>`
    select payload, topic, private from realtime.messages where topic = ${`job:${id}`} and event = 'job' order by inserted_at, (payload ->> 'version')::int`;
  assert.equal(sent.at(-1)?.payload.stage, 'cancelled');
  assert.equal(sent.at(-1)?.payload.version, (await machine.job(id)).version);
  assert.ok(sent.every((message) => message.private));
});
