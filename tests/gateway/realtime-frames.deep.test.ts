/** Generated frames on the Realtime socket: nearly valid joins, hostile names and filters, random bytes, and aborted sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const ROUNDS = 60;
const FRAMES_PER_ROUND = 150;
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

const unhandled: unknown[] = [];
process.on('uncaughtException', (error) => unhandled.push(error));
process.on('unhandledRejection', (error) => unhandled.push(error));

const fixture = await useGateway({ after }, { setup: SETUP });

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
  { weight: 4, arbitrary: fc.record({ config, access_token: fc.constantFrom(fixture.keys.anonKey, undefined) }) },
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
/** Can be parsed, but not serialized again for the other members of the topic. */
const nested = '['.repeat(20_000) + ']'.repeat(20_000);
const deep = `["1","2","realtime:r","presence",{"event":"track","payload":{"deep":${nested}}}]`;
const bytes = fc.uint8Array({ maxLength: 400 }).map((rest) => Buffer.from([3, ...rest]));

/** Messages in a version of the protocol; one in ten is truncated. */
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
  const { host } = new URL(fixture.url);
  const socket = new WebSocket(
    `ws://${host}/realtime/v1/websocket?apikey=${fixture.keys.serviceRoleKey}&vsn=${version}`,
  );
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

/** Resolves when all frames that were sent on a socket have been handled in order, or the socket is closed. */
async function waitUntilHandled(socket: WebSocket): Promise<void> {
  let isOver = false;
  socket.on('close', () => (isOver = true));
  socket.on('message', (data: Buffer) => (isOver ||= data.toString().includes('"the last"')));
  for (const message of [
    ['the last', 'the last', 'phoenix', 'heartbeat', {}],
    { ref: 'the last', topic: 'phoenix', event: 'heartbeat', payload: {} },
  ])
    socket.send(JSON.stringify(message));
  await until('the last frame has its reply', () => isOver);
}

it(
  `${ROUNDS * FRAMES_PER_ROUND} generated frames, with aborted sockets, cause no unhandled error`,
  { skip: LOCAL_ONLY },
  async (t) => {
    const seed = Date.now() % 2 ** 31;
    t.diagnostic(`seed ${seed}`);
    for (let round = 0; round < ROUNDS; round++) {
      const version = round % 3 === 0 ? '1.0.0' : '2.0.0';
      const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => open(version)));
      const sent = fc.sample(messages(version), { numRuns: FRAMES_PER_ROUND, seed: seed + round });
      sent.forEach((message, index) => sockets[index % SOCKETS]!.send(message));
      await fixture.sql`update public.rows set name = ${`round ${round}`} where id = 1`;
      // Half of the rounds are aborted.
      if (round % 2 === 0) await Promise.all(sockets.map(waitUntilHandled));
      for (const socket of sockets)
        if (round % 2 === 0) socket.close();
        else socket.terminate();
      assert.deepEqual(unhandled, [], `round ${round}, seed ${seed}`);
    }
    const last = await open('2.0.0');
    await waitUntilHandled(last);
    last.close();
    assert.deepEqual(unhandled, [], `at the end, seed ${seed}`);
  },
);
