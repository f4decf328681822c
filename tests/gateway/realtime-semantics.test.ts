/** Behaviour of hosted Realtime that is easy to miss. The gateway behaves the same, so that wrong code fails here as well. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { RealtimePostgresChangesPayload } from '@supabase/supabase-js';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const SETUP = `
  create table public.notes (id int primary key, owner uuid, n int, texts jsonb default '"[1]"');
  alter table public.notes enable row level security;
  create policy own on public.notes for select to authenticated using (owner = (select auth.uid()));
  grant select on public.notes to anon, authenticated, service_role;
  alter publication supabase_realtime add table public.notes;
`;
const fixture = await useGateway({ after }, { setup: SETUP });

type Change = RealtimePostgresChangesPayload<Record<string, unknown>>;
interface Subscription {
  seen: Change[];
  system: { status: string }[];
  states: string[];
}

function subscribe(client: Client, wanted: { filter?: string } = {}): Subscription {
  const subscription: Subscription = { seen: [], system: [], states: [] };
  client
    .channel(crypto.randomUUID())
    .on('system', {}, (message: { status: string }) => subscription.system.push(message))
    .on('postgres_changes', { event: '*', schema: 'public', table: 'notes', ...wanted }, (change: Change) =>
      subscription.seen.push(change),
    )
    .subscribe((state) => subscription.states.push(state));
  return subscription;
}

const isReady = ({ system }: Subscription): boolean => system.some(({ status }) => status === 'ok');
const ids = ({ seen }: Subscription): unknown[] => seen.map((change) => (change.new as { id?: number }).id);

let lastId = 0;
const nextId = (): number => (lastId += 1);

// Sees all rows and is served last: a change that it has was delivered to all others before.
const everything = subscribe(fixture.client(fixture.keys.serviceRoleKey));
await until('changes are streamed', () => isReady(everything));

/** Writes a note and waits until its change was delivered to everybody who may see it. */
async function write(owner: string, n = 0): Promise<number> {
  const id = nextId();
  await fixture.sql`insert into public.notes (id, owner, n) values (${id}, ${owner}, ${n})`;
  await until('the change is delivered', () => ids(everything).includes(id));
  return id;
}

describe('subscriptions', { skip: LOCAL_ONLY }, () => {
  it('are repeated in the reply in order and unchanged, each with its id; equal ones have the same id', async () => {
    const wanted = [
      { event: 'UPDATE', schema: 'public', table: 'notes', filter: 'n=eq.1' },
      { event: '*', schema: 'public' },
      { event: 'INSERT', schema: 'public', table: 'notes', filter: 'n=in.(1,2)', extra: { kept: true } },
      { event: 'UPDATE', schema: 'public', table: 'notes', filter: 'n=eq.1' },
      { event: 'DELETE', schema: 'public', table: 'notes' },
    ];
    const frames: unknown[][] = [];
    const socket = new WebSocket(
      `${fixture.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${fixture.keys.anonKey}&vsn=2.0.0`,
    );
    socket.onmessage = ({ data }) => frames.push(JSON.parse(String(data)) as unknown[]);
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.send(JSON.stringify(['3', '3', 'realtime:raw', 'phx_join', { config: { postgres_changes: wanted } }]));
    socket.send(JSON.stringify(['4', '4', 'realtime:bare', 'phx_join', {}]));
    await until('both joins have replies', () => frames.filter(([, , , event]) => event === 'phx_reply').length === 2);
    const reply = (ref: string): { id: number }[] => {
      const frame = frames.find(([, own, , event]) => own === ref && event === 'phx_reply');
      return (frame?.[4] as { response: { postgres_changes: { id: number }[] } }).response.postgres_changes;
    };
    const repeated = reply('3');
    assert.deepEqual(
      repeated.map(({ id: _id, ...rest }) => rest),
      wanted,
    );
    const numbers = repeated.map(({ id }) => id);
    assert.ok(numbers.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 27));
    assert.equal(numbers[0], numbers[3]);
    assert.equal(new Set(numbers).size, 4);
    assert.deepEqual(reply('4'), [], 'the member is present without subscriptions');
    socket.close();
  });

  it('filter by the new row: a row that stops matching is not delivered, one that starts matching is', async () => {
    const { client, id: owner } = await fixture.visitor();
    const subscription = subscribe(client, { filter: 'n=eq.7' });
    await until('changes are streamed', () => isReady(subscription));
    const id = await write(owner, 7);
    await fixture.sql`update public.notes set n = 8 where id = ${id}`;
    await fixture.sql`update public.notes set n = 7 where id = ${id}`;
    await write(owner);
    assert.deepEqual(
      subscription.seen.map((change) => [change.eventType, (change.new as { n: number }).n]),
      [
        ['INSERT', 7],
        ['UPDATE', 7],
      ],
    );
  });

  it('deliver only the key of an old row, and deletions to everybody with the grant', async () => {
    const mine = await fixture.visitor();
    const other = await fixture.visitor();
    const subscriptions = [subscribe(mine.client), subscribe(other.client)] as const;
    await until('changes are streamed', () => subscriptions.every(isReady));
    const id = await write(mine.id, 1);
    await fixture.sql`update public.notes set n = 2 where id = ${id}`;
    // Visibility is tested just after the commit: the update of a row that is deleted by then would not be delivered.
    await until('the update is delivered', () => subscriptions[0].seen.length === 2);
    await fixture.sql`delete from public.notes where id = ${id}`;
    await write(mine.id);
    const delivered = (subscription: Subscription): unknown[] =>
      subscription.seen.map(({ eventType, old }) => [eventType, old]);
    assert.deepEqual(delivered(subscriptions[0]), [
      ['INSERT', {}],
      ['UPDATE', { id }],
      ['DELETE', { id }],
      ['INSERT', {}],
    ]);
    assert.deepEqual(delivered(subscriptions[1]), [['DELETE', { id }]]);
  });

  it('deliver typed JSON with `errors` null; the client parses a string in a jsonb column once more', async () => {
    const { client, id: owner } = await fixture.visitor();
    const subscription = subscribe(client);
    await until('changes are streamed', () => isReady(subscription));
    const id = await write(owner, 3);
    const [change] = subscription.seen;
    assert.equal(change?.errors, null);
    assert.deepEqual(change.new, { id, owner, n: 3, texts: [1] });
  });
});

describe('the privileges that apply', { skip: LOCAL_ONLY }, () => {
  it('are those of the last pushed token at the time of the change', async () => {
    const one = await fixture.visitor();
    const two = await fixture.visitor();
    const subscription = subscribe(one.client);
    await until('changes are streamed', () => isReady(subscription));
    const first = await write(one.id);
    await one.client.realtime.setAuth(two.token);
    await until(
      'the ready message is repeated',
      () => subscription.system.filter(({ status }) => status === 'ok').length === 2,
    );
    await write(one.id);
    const second = await write(two.id);
    assert.deepEqual(ids(subscription), [first, second]);
  });

  it('are those of the anon key if the channel was joined without a session: no error and no change until a sign-in', async () => {
    const client = fixture.client();
    const subscription = subscribe(client);
    await until('changes are streamed', () => isReady(subscription));
    const { id: other } = await fixture.visitor();
    await write(other);
    assert.deepEqual([subscription.seen, subscription.states], [[], ['SUBSCRIBED']]);
    const { data } = await client.auth.signInAnonymously();
    await until(
      'the ready message is repeated',
      () => subscription.system.filter(({ status }) => status === 'ok').length === 2,
    );
    const seen = await write(data.user?.id ?? '');
    assert.deepEqual(ids(subscription), [seen]);
  });

  it('remain those of the user after a sign-out with a publishable key, which is not a token; the anon key replaces them', async () => {
    for (const [key, isStillDelivered] of [
      [fixture.keys.publishableKey, true],
      [fixture.keys.anonKey, false],
    ] as const) {
      const client = fixture.client(key);
      const { data } = await client.auth.signInAnonymously();
      const owner = data.user?.id ?? '';
      await client.realtime.setAuth();
      const subscription = subscribe(client);
      await until('changes are streamed', () => isReady(subscription));
      await client.auth.signOut({ scope: 'local' });
      if (!isStillDelivered)
        await until(
          'the ready message is repeated',
          () => subscription.system.filter(({ status }) => status === 'ok').length === 2,
        );
      const id = await write(owner);
      assert.deepEqual(ids(subscription), isStillDelivered ? [id] : [], key);
    }
  });
});
