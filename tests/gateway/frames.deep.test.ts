/** Generated frames on the Realtime socket: joins that nearly fit, hostile names and filters, bytes, and sockets that go in between. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { LOCAL_ONLY, until, useGateway } from './gateway-fixture.ts';

const ROUNDS = 60;
const FRAMES_A_ROUND = 150;
const SOCKETS = 3;
const SETUP = `
  create table public.rows (id int primary key, name text, j jsonb, a text[]);
  grant all on public.rows to anon, authenticated, service_role;
  alter publication supabase_realtime add table public.rows;
  insert into public.rows values (1, 'one', '{"a":[1]}', '{x,y}');`;
const HOSTILE: unknown[] = [
  ...[null, true, 0, -1, 1e308, '', '__proto__', 'constructor', '\u0000', '\ud800', [], {}],
  ...['*', 'INSERT', 'public', 'rows', 'id=eq.1', 'id=in.(1,2', 'name=like.%%%', 'name=ilike.\\', 'j=eq.{', 'x=y.z'],
];

const faults: unknown[] = [];
process.on('uncaughtException', (error) => faults.push(error));
process.on('unhandledRejection', (error) => faults.push(error));

const world = await useGateway({ after }, { setup: SETUP });

const value = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const loose = (...names: string[]): fc.Arbitrary<unknown> =>
  fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
const subscription = fc.record({
  event: fc.constantFrom('*', 'INSERT', 'UPDATE', 'DELETE'),
  schema: fc.constantFrom('public', '*'),
  table: fc.constantFrom('rows', '*'),
  filter: value.map(String),
});
const config = fc.record(
  {
    broadcast: fc.oneof(value, fc.record({ ack: fc.boolean(), self: fc.boolean(), replication_ready: fc.boolean() })),
    presence: fc.oneof(value, fc.record({ key: fc.string({ unit: 'binary' }), enabled: fc.boolean() })),
    postgres_changes: fc.oneof(
      value,
      fc.array(fc.oneof(subscription, loose('event', 'schema', 'table', 'filter')), { maxLength: 4 }),
    ),
    private: fc.oneof(value, fc.boolean()),
  },
  { requiredKeys: [] },
);
const payload = fc.oneof(
  { weight: 4, arbitrary: fc.record({ config, access_token: fc.constantFrom(world.keys.anonKey, undefined) }) },
  value,
  loose('event', 'payload', 'type', 'access_token'),
  fc.record({ event: fc.constantFrom('track', 'untrack'), payload: fc.dictionary(fc.string(), value) }),
);
const REFERENCES = ['1', '2', null];
const TOPICS = ['realtime:r', 'realtime:s', 'realtime:__proto__', 'realtime:', 'phoenix', 'x'];
const EVENTS = ['phx_join', 'phx_leave', 'broadcast', 'presence', 'access_token', 'heartbeat', 'odd'];
const frame = fc.record({
  join_ref: fc.oneof(fc.constantFrom(...REFERENCES), value),
  ref: fc.oneof(fc.constantFrom(...REFERENCES), value),
  topic: fc.constantFrom(...TOPICS),
  event: fc.constantFrom('phx_join', ...EVENTS),
  payload,
});
/** Read, kept for the others on the topic, and not to be written again. */
const nested = '['.repeat(20_000) + ']'.repeat(20_000);
const deep = `["1","2","realtime:r","presence",{"event":"track","payload":{"deep":${nested}}}]`;
const bytes = fc.uint8Array({ maxLength: 400 }).map((rest) => Buffer.from([3, ...rest]));

/** What is sent in a version of the protocol; one in ten is broken off. */
function messages(version: string): fc.Arbitrary<string | Buffer> {
  const text = frame.map((one) => JSON.stringify(version === '1.0.0' ? one : Object.values(one)));
  return fc.oneof(
    { weight: 7, arbitrary: text },
    { weight: 1, arbitrary: text.map((whole) => whole.slice(0, -1)) },
    { weight: 1, arbitrary: fc.constant(deep) },
    { weight: 2, arbitrary: bytes },
  );
}

async function open(version: string): Promise<WebSocket> {
  const { host } = new URL(world.url);
  const socket = new WebSocket(`ws://${host}/realtime/v1/websocket?apikey=${world.keys.serviceRoleKey}&vsn=${version}`);
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

/** Resolves when all that was sent on a socket has been handled, as far as it is handled in order, or the socket is closed. */
async function settled(socket: WebSocket): Promise<void> {
  let isOver = false;
  socket.on('close', () => (isOver = true));
  socket.on('message', (data: Buffer) => (isOver ||= data.toString().includes('"the last"')));
  for (const message of [
    ['the last', 'the last', 'phoenix', 'heartbeat', {}],
    { ref: 'the last', topic: 'phoenix', event: 'heartbeat', payload: {} },
  ])
    socket.send(JSON.stringify(message));
  await until('the last frame is answered', () => isOver);
}

it(
  `${ROUNDS * FRAMES_A_ROUND} generated frames, with sockets that go in between, raise nothing that nobody catches`,
  { skip: LOCAL_ONLY },
  async (t) => {
    const seed = Date.now() % 2 ** 31;
    t.diagnostic(`seed ${seed}`);
    for (let round = 0; round < ROUNDS; round++) {
      const version = round % 3 === 0 ? '1.0.0' : '2.0.0';
      const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => open(version)));
      const sent = fc.sample(messages(version), { numRuns: FRAMES_A_ROUND, seed: seed + round });
      sent.forEach((message, place) => sockets[place % SOCKETS]!.send(message));
      await world.sql`update public.rows set name = ${`round ${round}`} where id = 1`;
      // Half of the rounds are cut off in the middle.
      if (round % 2 === 0) await Promise.all(sockets.map(settled));
      for (const socket of sockets)
        if (round % 2 === 0) socket.close();
        else socket.terminate();
      assert.deepEqual(faults, [], `round ${round}, seed ${seed}`);
    }
    const last = await open('2.0.0');
    await settled(last);
    last.close();
    assert.deepEqual(faults, [], `at the end, seed ${seed}`);
  },
);
