import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { RealtimeChannel, RealtimePostgresChangesPayload } from '@supabase/supabase-js';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import type { Gateway } from '@mashup-engine/supabase-local/gateway/server';
import { useDatabase } from '../support/postgres.ts';
import { openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { LOCAL_ONLY, until, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const SETUP = `
  create table public.jobs (
    id uuid primary key default gen_random_uuid(),
    owner uuid,
    n int not null default 0,
    big bigint default 9007199254740991,
    amount numeric default 12.50,
    ok boolean default true,
    tags text[] default '{"a,b",c,NULL}',
    info jsonb default '{"deep":[1,null,"x"]}',
    at timestamptz default '2026-01-01T00:00:00.5Z',
    hidden text default 'secret'
  );
  alter table public.jobs enable row level security;
  create policy own on public.jobs for select to authenticated using (owner = (select auth.uid()));
  grant select (id, owner, n, big, amount, ok, tags, info, at) on public.jobs to authenticated;
  create table public.open_rows (id int primary key, name text, n int);
  grant select on public.open_rows to anon, authenticated;
  create table public.unpublished (id int primary key);
  grant select on public.unpublished to anon;
  alter publication supabase_realtime add table public.jobs, public.open_rows;
  create policy room on realtime.messages for select to authenticated using (realtime.topic() = 'room-' || (select auth.uid())::text);
  create policy room_write on realtime.messages for insert to authenticated with check (realtime.topic() = 'room-' || (select auth.uid())::text);
`;
const world = await useGateway({ after }, { setup: SETUP });

type Payload = RealtimePostgresChangesPayload<Record<string, unknown>>;
interface Watch {
  channel: RealtimeChannel;
  seen: Payload[];
  system: { status: string; message: string; channel: string }[];
  states: string[];
  /** Resolves when changes flow. */
  ready: Promise<void>;
}

let names = 0;

function watch(
  client: Client,
  wanted: { event?: '*' | 'INSERT' | 'UPDATE' | 'DELETE'; table?: string; filter?: string },
): Watch {
  const seen: Payload[] = [];
  const system: Watch['system'] = [];
  const states: string[] = [];
  const channel = client
    .channel(`watch-${(names += 1)}`)
    .on('postgres_changes' as never, { event: '*', schema: 'public', ...wanted } as never, (payload: Payload) =>
      seen.push(payload),
    )
    .on('system' as never, {} as never, (message: Watch['system'][number]) => system.push(message));
  channel.subscribe((state) => states.push(state));
  const ready = until('the changes flow', () => system.some((message) => message.status === 'ok'));
  return { channel, seen, system, states, ready };
}

const row = (payload: Payload | undefined): Record<string, unknown> => (payload?.new ?? {}) as Record<string, unknown>;

describe('the gateway as Realtime', { skip: LOCAL_ONLY }, () => {
  it('says SUBSCRIBED before the changes flow, and ready only then', async () => {
    const watched = watch(world.client(), { table: 'open_rows' });
    await until('the join is answered', () => watched.states.includes('SUBSCRIBED'));
    assert.equal(watched.system.length, 0);
    await world.sql`insert into public.open_rows values (1, 'too early', 0)`;
    await watched.ready;
    assert.deepEqual(watched.system[0], {
      channel: 'watch-1',
      extension: 'postgres_changes',
      message: 'Subscribed to PostgreSQL',
      status: 'ok',
    });
    await world.sql`insert into public.open_rows values (2, 'in time', 0)`;
    await until('the row arrives', () => watched.seen.length > 0);
    assert.deepEqual(
      watched.seen.map((payload) => row(payload).id),
      [2],
    );
  });

  it('gives a change as the client expects it: typed values, the key of the old row, no errors', async () => {
    const { client, id } = await world.visitor();
    const watched = watch(client, { table: 'jobs' });
    await watched.ready;
    const [made] = await world.sql`insert into public.jobs (owner, n) values (${id}, 1) returning id`;
    await until('the insert arrives', () => watched.seen.length === 1);
    await world.sql`update public.jobs set n = 2 where id = ${made!.id}`;
    await until('the update arrives', () => watched.seen.length === 2);
    await world.sql`delete from public.jobs where id = ${made!.id}`;
    await until('three changes arrive', () => watched.seen.length === 3);
    const [insert, update, remove] = watched.seen;
    assert.deepEqual(insert?.new, {
      id: made!.id,
      owner: id,
      n: 1,
      big: 9007199254740991,
      amount: 12.5,
      ok: true,
      tags: ['a,b', 'c', null],
      info: { deep: [1, null, 'x'] },
      at: '2026-01-01T00:00:00.5+00:00',
    });
    const [asJson] = await world.sql`select to_jsonb('2026-01-01T00:00:00.5Z'::timestamptz) as at`;
    assert.equal(row(insert).at, asJson!.at);
    assert.deepEqual([insert?.eventType, insert?.old, insert?.errors], ['INSERT', {}, null]);
    assert.match(insert!.commit_timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual([update?.eventType, row(update).n, update?.old], ['UPDATE', 2, { id: made!.id }]);
    assert.deepEqual([remove?.eventType, remove?.new, remove?.old], ['DELETE', {}, { id: made!.id }]);
  });

  it('shows each subscriber only the rows that RLS shows, with the last pushed claims', async () => {
    const mine = await world.visitor();
    const other = await world.visitor();
    const watches = [
      watch(mine.client, { table: 'jobs' }),
      watch(other.client, { table: 'jobs' }),
      watch(world.client(), { table: 'jobs' }),
    ];
    await Promise.all(watches.map((watched) => watched.ready));
    await world.sql`insert into public.jobs (owner, n) values (${mine.id}, 7)`;
    await world.sql`insert into public.jobs (owner, n) values (${other.id}, 8)`;
    await until('both rows arrive', () => watches[0]!.seen.length > 0 && watches[1]!.seen.length > 0);
    await world.sql`update public.jobs set owner = ${other.id} where n = 7`;
    await until('the moved row arrives', () => watches[1]!.seen.length === 2);
    assert.deepEqual(
      watches.map((watched) => watched.seen.map((payload) => row(payload).n)),
      [[7], [8, 7], []],
    );
  });

  it('tests filters on the new row, by the type of the column', async () => {
    const client = world.client();
    const wanted = {
      'n=gt.9': [10, 100],
      'n=in.(1,10)': [1, 10],
      'name=eq.hit': [1, 10, 100],
      'n=neq.10,name=eq.hit': [1, 100],
      'n=not.eq.1': [10, 100],
      'name=is.null': [],
    };
    const watches = Object.keys(wanted).map((filter) => watch(client, { table: 'open_rows', event: 'INSERT', filter }));
    const everything = watch(client, { table: 'open_rows', event: 'INSERT' });
    await Promise.all([...watches, everything].map((watched) => watched.ready));
    for (const n of [1, 10, 100]) await world.sql`insert into public.open_rows values (${1000 + n}, 'hit', ${n})`;
    await until('all rows arrive', () => everything.seen.length === 3);
    assert.deepEqual(
      watches.map((watched) => watched.seen.map((payload) => row(payload).n)),
      Object.values(wanted),
    );
  });

  it('names a subscription that cannot be, and stays joined', async () => {
    const client = world.client();
    const bad = [
      { table: 'unpublished' },
      { table: 'open_rows', filter: 'nothing=eq.1' },
      { table: 'open_rows', filter: 'n=eq.x' },
      { table: 'open_rows', filter: 'n=huh.1' },
    ];
    for (const wanted of bad) {
      const watched = watch(client, wanted);
      watched.ready.catch(() => {});
      await until('the refusal arrives', () => watched.system.length > 0);
      assert.equal(watched.system[0]?.status, 'error');
      assert.match(watched.system[0]!.message, /Unable to subscribe to changes|Error parsing `filter` params/);
      assert.deepEqual(watched.states, ['SUBSCRIBED']);
    }
  });

  it('loses, doubles and reorders nothing when the replication connection is cut again and again', async () => {
    const watched = watch(world.client(), { table: 'open_rows', event: 'INSERT' });
    await watched.ready;
    for (let round = 0; round < 8; round += 1) {
      await world.sql`insert into public.open_rows select ${5000 + round * 25} + g, 'cut', 0 from generate_series(0, 24) g`;
      if (round % 2 === 0)
        await world.sql`select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active_pid is not null`;
    }
    await until('all rows arrive', () => watched.seen.length >= 200);
    assert.deepEqual(
      watched.seen.map((payload) => row(payload).id),
      Array.from({ length: 200 }, (_, at) => 5000 + at),
    );
  });

  it('delivers a commit to each of a hundred followers well within 100 ms', async () => {
    const visitors = await Promise.all(Array.from({ length: 5 }, () => world.visitor()));
    const watches = visitors.flatMap(({ client, id }) =>
      Array.from({ length: 20 }, () => watch(client, { table: 'jobs', event: 'INSERT', filter: `owner=eq.${id}` })),
    );
    await Promise.all(watches.map((watched) => watched.ready));
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const { id } = visitors[round % visitors.length]!;
      const from = performance.now();
      const expected = watches.reduce((sum, watched) => sum + watched.seen.length, 0) + 20;
      // Without it the commit reaches the stream only with the next round of the WAL writer, up to 200 ms later.
      await world.sql.begin(async (transaction) => {
        await transaction`set local synchronous_commit = on`;
        await transaction`insert into public.jobs (owner, n) values (${id}, ${round})`;
      });
      while (watches.reduce((sum, watched) => sum + watched.seen.length, 0) < expected) {
        assert.ok(performance.now() - from < 5_000, 'the change arrives');
        await new Promise((resolve) => setImmediate(resolve));
      }
      times.push(performance.now() - from);
    }
    const median = times.sort((a, b) => a - b)[10]!;
    assert.ok(median < 100, `median ${median} ms`);
    console.log(
      `insert to the last of 20 callbacks, 100 followers: p50 ${median.toFixed(1)} ms, worst ${times.at(-1)!.toFixed(1)} ms`,
    );
  });

  it('closes a channel whose token ends, with the reason, and the client does not come back', async () => {
    const ring = await openKeyRing(world.keys);
    const { id } = await world.visitor();
    const seconds = Math.floor(Date.now() / 1000);
    const token = await ring.signUser({ role: 'authenticated', sub: id, exp: seconds + 2, iat: seconds });
    const client = world.client();
    await client.realtime.setAuth(token);
    const watched = watch(client, { table: 'jobs' });
    await watched.ready;
    await until('the channel is closed', () => watched.states.includes('CLOSED'));
    assert.match(watched.system.at(-1)!.message, /^Token has expired \d+ seconds ago$/);
    assert.equal(watched.system.at(-1)!.status, 'error');
    assert.deepEqual(client.getChannels(), []);
  });

  it('says ready again after a new token, and refuses a forged one', async () => {
    const ring = await openKeyRing(world.keys);
    const { client, id } = await world.visitor();
    const watched = watch(client, { table: 'jobs' });
    await watched.ready;
    const exp = Math.floor(Date.now() / 1000) + 600;
    await client.realtime.setAuth(await ring.signUser({ role: 'authenticated', sub: id, exp, iat: exp - 700 }));
    await until('ready comes again', () => watched.system.filter((message) => message.status === 'ok').length === 2);
    const forged = `${(await ring.signUser({ role: 'service_role', exp })).slice(0, -8)}AAAAAAAA`;
    await client.realtime.setAuth(forged);
    await until('the channel is closed', () => watched.states.includes('CLOSED'));
    assert.match(watched.system.at(-1)!.message, /JWT/);
  });

  it('carries broadcasts, binary frames included, echoes and acknowledges as configured', async () => {
    const [one, two] = [world.client(), world.client()];
    const got: [string, unknown][] = [];
    const a = one.channel('talk', { config: { broadcast: { ack: true, self: true } } });
    const b = two.channel('talk');
    a.on('broadcast', { event: '*' }, ({ payload }) => got.push(['a', payload]));
    b.on('broadcast', { event: 'hello' }, ({ payload }) => got.push(['b', payload]));
    const states: string[] = [];
    a.subscribe((state) => states.push(state));
    b.subscribe((state) => states.push(state));
    await until('both are in', () => states.filter((state) => state === 'SUBSCRIBED').length === 2);
    assert.equal(await a.send({ type: 'broadcast', event: 'hello', payload: { n: 1 } }), 'ok');
    await until('both have it', () => got.length === 2);
    assert.deepEqual(got.sort(), [
      ['a', { n: 1 }],
      ['b', { n: 1 }],
    ]);
    await a.send({ type: 'broadcast', event: 'hello', payload: Uint8Array.from([1, 2, 3]).buffer });
    await until('the bytes arrive', () => got.filter(([who]) => who === 'b').length === 2);
    assert.deepEqual([...new Uint8Array(got.findLast(([who]) => who === 'b')![1] as ArrayBuffer)], [1, 2, 3]);
    const posted = await world.fetch('/realtime/v1/api/broadcast', {
      method: 'POST',
      body: JSON.stringify({ messages: [{ topic: 'talk', event: 'hello', payload: { n: 3 }, private: false }] }),
    });
    assert.equal(posted.status, 202);
    await until('the posted one arrives', () => got.filter(([who]) => who === 'b').length === 3);
  });

  it('tells who is present', async () => {
    const [one, two] = [world.client(), world.client()];
    const a = one.channel('people', { config: { presence: { key: 'one' } } });
    const b = two.channel('people', { config: { presence: { key: 'two' } } });
    for (const channel of [a, b]) channel.on('presence', { event: 'sync' }, () => {});
    a.subscribe((state) => void (state === 'SUBSCRIBED' && a.track({ mood: 'fine' })));
    b.subscribe((state) => void (state === 'SUBSCRIBED' && b.track({ mood: 'good' })));
    await until('each sees both', () => [a, b].every((channel) => Object.keys(channel.presenceState()).length === 2));
    await b.untrack();
    await until('one is left', () => Object.keys(a.presenceState()).join() === 'one');
  });

  it('lets policies decide who may join a private channel', async () => {
    const mine = await world.visitor();
    const other = await world.visitor();
    const join = async (client: Client): Promise<[string, string | undefined]> =>
      new Promise((resolve) => {
        const channel = client.channel(`room-${mine.id}`, { config: { private: true } });
        channel.subscribe((state, error) => {
          resolve([state, error?.message]);
          if (state === 'CHANNEL_ERROR') void client.removeChannel(channel);
        });
      });
    assert.deepEqual(await join(mine.client), ['SUBSCRIBED', undefined]);
    const [state, reason] = await join(other.client);
    assert.equal(state, 'CHANNEL_ERROR');
    assert.match(reason ?? '', /^Unauthorized: You do not have permissions to read from this Channel topic/);
  });

  it('speaks version 1.0.0 as well, answers heartbeats and drops frames of an old join', async () => {
    const watched = watch(world.client(world.keys.publishableKey, { realtime: { vsn: '1.0.0' } as never }), {
      table: 'open_rows',
    });
    await watched.ready;
    await world.sql`insert into public.open_rows values (9001, 'old version', 0)`;
    await until('the row arrives', () => watched.seen.length === 1);
    const frames: unknown[][] = [];
    const socket = new WebSocket(
      `${world.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${world.keys.anonKey}&vsn=2.0.0`,
    );
    socket.onmessage = ({ data }) => frames.push(JSON.parse(String(data)) as unknown[]);
    await new Promise((resolve) => (socket.onopen = resolve));
    const wanted = { event: 'INSERT', schema: 'public', table: 'open_rows' };
    const send = (...frame: unknown[]): void => socket.send(JSON.stringify(frame));
    send(null, '7', 'phoenix', 'heartbeat', {});
    send('8', '8', 'realtime:raw', 'phx_join', { config: { postgres_changes: [wanted] } });
    send('5', '9', 'realtime:raw', 'phx_leave', {});
    send('8', '10', 'realtime:other', 'broadcast', {});
    await until('three answers', () => frames.length >= 3);
    assert.deepEqual(frames[0], [null, '7', 'phoenix', 'phx_reply', { status: 'ok', response: {} }]);
    const [joinRef, ref, , , payload] = frames[1] as [
      string,
      string,
      string,
      string,
      { response: { postgres_changes: { id: number }[] } },
    ];
    assert.deepEqual([joinRef, ref], ['8', '8']);
    const [{ id, ...echoed }] = payload.response.postgres_changes as [{ id: number }];
    assert.deepEqual(echoed, wanted);
    assert.ok(Number.isInteger(id) && id < 2 ** 27);
    assert.deepEqual(frames[2], [
      '8',
      '10',
      'realtime:other',
      'phx_reply',
      { status: 'error', response: { reason: 'unmatched topic' } },
    ]);
    await until('the system message', () => frames.some((frame) => frame[3] === 'system'));
    send('8', '11', 'realtime:raw', 'phx_leave', {});
    await until('the close', () => frames.some((frame) => frame[3] === 'phx_close'));
    assert.deepEqual(frames.at(-2), ['8', '11', 'realtime:raw', 'phx_reply', { status: 'ok', response: {} }]);
    assert.deepEqual(frames.at(-1), ['8', '8', 'realtime:raw', 'phx_close', {}]);
    socket.close();
  });

  it('leaves no replication slot behind, neither when it ends nor when it was killed before', async () => {
    const database = await useDatabase({ after }, { empty: true });
    const sql = postgres(database.superuserUrl, { max: 1 });
    const slots = async (): Promise<string[]> => {
      const rows = await sql`select slot_name from pg_replication_slots where database = current_database()`;
      return rows.map((row) => String(row.slot_name));
    };
    const start = (): Promise<Gateway> =>
      startGateway({ port: 0, dbUrl: database.superuserUrl, keys: world.keys, storageDir: world.storageDir });
    await sql`create table public.t (id int primary key)`;
    await sql`grant select on public.t to anon`;
    await sql`alter publication supabase_realtime add table public.t`;
    const gateway = await start();
    const client = createClient(gateway.url, world.keys.anonKey);
    const watched = watch(client, { table: 't' });
    await watched.ready;
    const [slot] = await slots();
    assert.ok(slot);
    await client.removeAllChannels();
    await gateway.close();
    assert.deepEqual(await slots(), []);
    await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
    const second = await start();
    assert.deepEqual(await slots(), []);
    await second.close();
    await sql.end();
  });

  it('refuses a socket without a good key', async () => {
    for (const key of ['', 'nonsense', 'sb_publishable_wrong']) {
      const socket = new WebSocket(`${world.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${key}&vsn=2.0.0`);
      const failed = await new Promise((resolve) => {
        socket.onopen = () => resolve(false);
        socket.onerror = () => resolve(true);
      });
      assert.equal(failed, true, key);
    }
  });
});
