/** What Realtime does and a frontend does not expect of it: the stand-in must do the same, or wrong code passes. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { RealtimePostgresChangesPayload } from '@supabase/supabase-js';
import { LOCAL_ONLY, until, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const SETUP = `
  create table public.notes (id int primary key, owner uuid, n int, texts jsonb default '"[1]"');
  alter table public.notes enable row level security;
  create policy own on public.notes for select to authenticated using (owner = (select auth.uid()));
  grant select on public.notes to anon, authenticated, service_role;
  alter publication supabase_realtime add table public.notes;
`;
const world = await useGateway({ after }, { setup: SETUP });

type Change = RealtimePostgresChangesPayload<Record<string, unknown>>;
interface Watched {
  seen: Change[];
  system: { status: string }[];
  states: string[];
}

function watch(client: Client, wanted: { filter?: string } = {}): Watched {
  const watched: Watched = { seen: [], system: [], states: [] };
  client
    .channel(crypto.randomUUID())
    .on('system', {}, (message: { status: string }) => watched.system.push(message))
    .on('postgres_changes', { event: '*', schema: 'public', table: 'notes', ...wanted }, (change: Change) =>
      watched.seen.push(change),
    )
    .subscribe((state) => watched.states.push(state));
  return watched;
}

const isReady = ({ system }: Watched): boolean => system.some(({ status }) => status === 'ok');
const ids = ({ seen }: Watched): unknown[] => seen.map((change) => (change.new as { id?: number }).id);

let lastId = 0;
const nextId = (): number => (lastId += 1);

// Sees everything, and was asked last: what it has heard was offered to all the others before.
const everything = watch(world.client(world.keys.serviceRoleKey));
await until('the changes flow', () => isReady(everything));

/** Writes a note and waits until its change has been offered to everybody. */
async function write(owner: string, n = 0): Promise<number> {
  const id = nextId();
  await world.sql`insert into public.notes (id, owner, n) values (${id}, ${owner}, ${n})`;
  await until('the change is out', () => ids(everything).includes(id));
  return id;
}

describe('subscriptions', { skip: LOCAL_ONLY }, () => {
  it('are echoed in the order they came, unchanged, each with its number; equal ones with the same', async () => {
    const wanted = [
      { event: 'UPDATE', schema: 'public', table: 'notes', filter: 'n=eq.1' },
      { event: '*', schema: 'public' },
      { event: 'INSERT', schema: 'public', table: 'notes', filter: 'n=in.(1,2)', extra: { kept: true } },
      { event: 'UPDATE', schema: 'public', table: 'notes', filter: 'n=eq.1' },
      { event: 'DELETE', schema: 'public', table: 'notes' },
    ];
    const frames: unknown[][] = [];
    const socket = new WebSocket(
      `${world.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${world.keys.anonKey}&vsn=2.0.0`,
    );
    socket.onmessage = ({ data }) => frames.push(JSON.parse(String(data)) as unknown[]);
    await new Promise((resolve) => (socket.onopen = resolve));
    socket.send(JSON.stringify(['3', '3', 'realtime:raw', 'phx_join', { config: { postgres_changes: wanted } }]));
    socket.send(JSON.stringify(['4', '4', 'realtime:bare', 'phx_join', {}]));
    await until('both joins are answered', () => frames.filter(([, , , event]) => event === 'phx_reply').length === 2);
    const reply = (ref: string): { id: number }[] => {
      const frame = frames.find(([, own, , event]) => own === ref && event === 'phx_reply');
      return (frame?.[4] as { response: { postgres_changes: { id: number }[] } }).response.postgres_changes;
    };
    const echoed = reply('3');
    assert.deepEqual(
      echoed.map(({ id: _id, ...rest }) => rest),
      wanted,
    );
    const numbers = echoed.map(({ id }) => id);
    assert.ok(numbers.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 27));
    assert.equal(numbers[0], numbers[3]);
    assert.equal(new Set(numbers).size, 4);
    assert.deepEqual(reply('4'), [], 'the key is there also without any');
    socket.close();
  });

  it('filter by the new row: a row that leaves the filter is not told, one that enters is', async () => {
    const { client, id: owner } = await world.visitor();
    const watched = watch(client, { filter: 'n=eq.7' });
    await until('the changes flow', () => isReady(watched));
    const id = await write(owner, 7);
    await world.sql`update public.notes set n = 8 where id = ${id}`;
    await world.sql`update public.notes set n = 7 where id = ${id}`;
    await write(owner);
    assert.deepEqual(
      watched.seen.map((change) => [change.eventType, (change.new as { n: number }).n]),
      [
        ['INSERT', 7],
        ['UPDATE', 7],
      ],
    );
  });

  it('give the key alone of what was, and of what was deleted to everybody who has the grant', async () => {
    const mine = await world.visitor();
    const other = await world.visitor();
    const watches = [watch(mine.client), watch(other.client)] as const;
    await until('the changes flow', () => watches.every(isReady));
    const id = await write(mine.id, 1);
    await world.sql`update public.notes set n = 2 where id = ${id}`;
    // Rights are asked just after the commit: of a row that is gone by then the update would not be told.
    await until('the update is told', () => watches[0].seen.length === 2);
    await world.sql`delete from public.notes where id = ${id}`;
    await write(mine.id);
    const told = (watched: Watched): unknown[] => watched.seen.map(({ eventType, old }) => [eventType, old]);
    assert.deepEqual(told(watches[0]), [
      ['INSERT', {}],
      ['UPDATE', { id }],
      ['DELETE', { id }],
      ['INSERT', {}],
    ]);
    assert.deepEqual(told(watches[1]), [['DELETE', { id }]]);
  });

  it('carry typed JSON with `errors` null, and a text in a jsonb column is parsed once more by the client', async () => {
    const { client, id: owner } = await world.visitor();
    const watched = watch(client);
    await until('the changes flow', () => isReady(watched));
    const id = await write(owner, 3);
    const [change] = watched.seen;
    assert.equal(change?.errors, null);
    assert.deepEqual(change.new, { id, owner, n: 3, texts: [1] });
  });
});

describe('whose rights count', { skip: LOCAL_ONLY }, () => {
  it('those of the token that was pushed last, at the time of the change', async () => {
    const one = await world.visitor();
    const two = await world.visitor();
    const watched = watch(one.client);
    await until('the changes flow', () => isReady(watched));
    const first = await write(one.id);
    await one.client.realtime.setAuth(two.token);
    await until('ready comes again', () => watched.system.filter(({ status }) => status === 'ok').length === 2);
    await write(one.id);
    const second = await write(two.id);
    assert.deepEqual(ids(watched), [first, second]);
  });

  it('those of the anon key, where the channel was joined without a session: nothing is heard, nothing fails, until a sign-in', async () => {
    const client = world.client();
    const watched = watch(client);
    await until('the changes flow', () => isReady(watched));
    const { id: other } = await world.visitor();
    await write(other);
    assert.deepEqual([watched.seen, watched.states], [[], ['SUBSCRIBED']]);
    const { data } = await client.auth.signInAnonymously();
    await until('ready comes again', () => watched.system.filter(({ status }) => status === 'ok').length === 2);
    const seen = await write(data.user?.id ?? '');
    assert.deepEqual(ids(watched), [seen]);
  });

  it('still those of the user after a sign-out with a publishable key, which is no token; the anon key demotes', async () => {
    for (const [key, isStillHeard] of [
      [world.keys.publishableKey, true],
      [world.keys.anonKey, false],
    ] as const) {
      const client = world.client(key);
      const { data } = await client.auth.signInAnonymously();
      const owner = data.user?.id ?? '';
      await client.realtime.setAuth();
      const watched = watch(client);
      await until('the changes flow', () => isReady(watched));
      await client.auth.signOut({ scope: 'local' });
      if (!isStillHeard)
        await until('ready comes again', () => watched.system.filter(({ status }) => status === 'ok').length === 2);
      const id = await write(owner);
      assert.deepEqual(ids(watched), isStillHeard ? [id] : [], key);
    }
  });
});
