import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const SETUP = `
  create table public.songs (
    id bigint generated always as identity primary key,
    title text not null,
    bpm numeric,
    tags text[] default '{}',
    info jsonb,
    owner uuid default auth.uid(),
    made_at timestamptz default '2026-01-01T00:00:00Z',
    secret text default 'hidden'
  );
  alter table public.songs enable row level security;
  create policy own on public.songs for all to authenticated using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
  grant select (id, title, bpm, tags, info, owner, made_at), insert, update, delete on public.songs to authenticated;
  create table public.open_rows (id int primary key, name text, note text);
  insert into public.open_rows select n, 'row ' || n, case when n % 2 = 0 then 'even' end from generate_series(1, 20) n;
  grant select, insert, update, delete on public.open_rows to anon, authenticated, service_role;
  create table public.closed (id int);
  create view public.evens as select id, name from public.open_rows where note = 'even';
  grant select on public.evens to anon;
`;
const fixture = await useGateway({ after }, { setup: SETUP });

describe('REST of the gateway: tables', { skip: LOCAL_ONLY }, () => {
  it('selects, filters, orders and pages', async () => {
    const client = fixture.client();
    const some = await client
      .from('open_rows')
      .select('id, name')
      .gte('id', 3)
      .lt('id', 9)
      .neq('id', 5)
      .order('id', { ascending: false })
      .limit(2);
    assert.deepEqual(some.data, [
      { id: 8, name: 'row 8' },
      { id: 7, name: 'row 7' },
    ]);
    const paged = await client.from('open_rows').select('id').order('id').range(5, 9);
    assert.deepEqual(
      paged.data?.map((row) => row.id),
      [6, 7, 8, 9, 10],
    );
    const listed = await client
      .from('open_rows')
      .select('label:name')
      .in('name', ['row 1', 'a,b', 'row 2'])
      .order('id');
    assert.deepEqual(listed.data, [{ label: 'row 1' }, { label: 'row 2' }]);
    const nulls = await client.from('open_rows').select('id').is('note', null).ilike('name', 'ROW 1%').order('id');
    assert.deepEqual(
      nulls.data?.map((row) => row.id),
      [1, 11, 13, 15, 17, 19],
    );
    const negated = await client
      .from('open_rows')
      .select('id')
      .not('note', 'is', null)
      .not('id', 'in', '(2,4)')
      .lte('id', 8);
    assert.deepEqual(
      negated.data?.map((row) => row.id),
      [6, 8],
    );
    const view = await client.from('evens').select().eq('id', 4).single();
    assert.deepEqual(view.data, { id: 4, name: 'row 4' });
  });

  it('counts exactly, with a Content-Range that pages may read and no body for HEAD', async () => {
    const client = fixture.client();
    const counted = await client.from('open_rows').select('id', { count: 'exact' }).limit(5);
    assert.deepEqual([counted.count, counted.status, counted.data?.length], [20, 206, 5]);
    const head = await client.from('open_rows').select('*', { count: 'exact', head: true }).eq('note', 'even');
    assert.deepEqual([head.count, head.data, head.error], [10, null, null]);
    const raw = await fixture.fetch('/rest/v1/open_rows?select=id&limit=2', {
      method: 'HEAD',
      headers: { prefer: 'count=exact' },
    });
    assert.equal(raw.headers.get('content-range'), '0-1/20');
    assert.match(raw.headers.get('access-control-expose-headers') ?? '', /Content-Range/);
    assert.equal(await raw.text(), '');
    const beyond = await client.from('open_rows').select('id', { count: 'exact' }).range(50, 60);
    assert.deepEqual([beyond.status, beyond.error?.code], [416, 'PGRST103']);
    const headError = await client.from('closed').select('*', { head: true });
    assert.deepEqual([headError.status, headError.error?.message], [401, '']);
  });

  it('single requires exactly one row; maybeSingle requests a list', async () => {
    const client = fixture.client();
    const none = await client.from('open_rows').select().eq('id', 99).single();
    assert.deepEqual(
      [none.status, none.error?.code, none.error?.details],
      [406, 'PGRST116', 'The result contains 0 rows'],
    );
    assert.equal((await client.from('open_rows').select().eq('id', 99).maybeSingle()).data, null);
    assert.equal((await client.from('open_rows').select('id').eq('id', 1).maybeSingle()).data?.id, 1);
    const two = await client.from('open_rows').update({ note: 'x' }).in('id', [1, 3]).select().single();
    assert.equal(two.error?.code, 'PGRST116');
    const [row] = await fixture.sql`select count(*)::int as n from public.open_rows where note = 'x'`;
    assert.equal(row?.n, 0, 'the write was rolled back');
  });

  it('inserts, updates and deletes with and without the rows in the response', async () => {
    const client = fixture.client();
    const bare = await client.from('open_rows').insert({ id: 100, name: 'new' });
    assert.deepEqual([bare.status, bare.data, bare.error], [201, null, null]);
    const many = await client
      .from('open_rows')
      .insert([
        { id: 101, name: 'a' },
        { id: 102, note: 'b' },
      ])
      .select('id,name,note');
    assert.equal(many.status, 201);
    assert.deepEqual(many.data, [
      { id: 101, name: 'a', note: null },
      { id: 102, name: null, note: 'b' },
    ]);
    const changed = await client.from('open_rows').update({ name: 'z' }).eq('id', 101);
    assert.deepEqual([changed.status, changed.data], [204, null]);
    const shown = await client.from('open_rows').update({ name: 'y' }).eq('id', 101).select('name');
    assert.deepEqual([shown.status, shown.data], [200, [{ name: 'y' }]]);
    const deleted = await client.from('open_rows').delete().gte('id', 100).select('id');
    assert.deepEqual(deleted.data?.map((row) => row.id).sort(), [100, 101, 102]);
    const reckless = await client.from('open_rows').delete();
    assert.deepEqual([reckless.status, reckless.error?.code], [400, '21000']);
  });

  it('returns values as Postgres writes them', async () => {
    const { client, id } = await fixture.visitor();
    const info = { deep: [1, { a: null }], text: '{"not":"parsed"}' };
    const made = await client
      .from('songs')
      .insert({ title: 'q"u\'o--te', bpm: 120.5, tags: ['a,b', 'c"d'], info })
      .select('title,bpm,tags,info,owner,made_at')
      .single();
    assert.equal(made.error, null);
    assert.deepEqual(made.data, {
      title: 'q"u\'o--te',
      bpm: 120.5,
      tags: ['a,b', 'c"d'],
      info,
      owner: id,
      made_at: '2026-01-01T00:00:00+00:00',
    });
  });

  it('applies RLS: rows of others are neither visible nor changed, and an insert for another user is 403', async () => {
    const mine = await fixture.visitor();
    const other = await fixture.visitor();
    const { data } = await mine.client.from('songs').insert({ title: 'mine' }).select('id').single();
    assert.deepEqual((await other.client.from('songs').select('id').eq('id', data!.id)).data, []);
    const update = await other.client.from('songs').update({ title: 'taken' }).eq('id', data!.id).select('id');
    assert.deepEqual([update.status, update.data], [200, []]);
    const hidden = await other.client.from('songs').delete().eq('id', data!.id);
    assert.deepEqual([hidden.status, hidden.error], [204, null]);
    const foreign = await other.client.from('songs').insert({ title: 'x', owner: mine.id });
    assert.deepEqual([foreign.status, foreign.error?.code], [403, '42501']);
    assert.equal(foreign.error?.message, 'new row violates row-level security policy for table "songs"');
    assert.equal((await mine.client.from('songs').select('id')).data?.length, 1);
  });

  it('returns 401 for 42501 to anon and 403 to all other roles', async () => {
    const anonymous = await fixture.client().from('closed').select();
    assert.deepEqual([anonymous.status, anonymous.error?.code], [401, '42501']);
    assert.equal(anonymous.error?.message, 'permission denied for table closed');
    const { client } = await fixture.visitor();
    assert.equal((await client.from('closed').select()).status, 403);
    assert.equal((await client.from('songs').select('secret')).status, 403);
    assert.equal((await fixture.client(fixture.keys.publishableKey).from('closed').select()).status, 401);
    assert.equal(
      (await fixture.client(fixture.keys.serviceRoleKey).from('open_rows').select('id').limit(1)).status,
      200,
    );
    assert.equal((await fixture.client(fixture.keys.secretKey).from('open_rows').select('id').limit(1)).status, 200);
  });

  it('returns the codes of PostgREST for unknown names and invalid values', async () => {
    const client = fixture.client();
    const code = async (query: PromiseLike<{ status: number; error: { code: string } | null }>): Promise<unknown> => {
      const { status, error } = await query;
      return [status, error?.code];
    };
    assert.deepEqual(await code(client.from('nowhere').select()), [404, 'PGRST205']);
    assert.deepEqual(await code(client.from('open_rows').select('nothing')), [400, '42703']);
    assert.deepEqual(await code(client.from('open_rows').select().eq('nothing', 1)), [400, '42703']);
    assert.deepEqual(await code(client.from('open_rows').insert({ nothing: 1 })), [400, 'PGRST204']);
    assert.deepEqual(await code(client.from('open_rows').select().eq('id', 'abc')), [400, '22P02']);
    assert.deepEqual(await code(client.from('open_rows').insert({ id: 1 })), [409, '23505']);
    assert.deepEqual(
      await code(
        client
          .schema('auth' as 'public')
          .from('users')
          .select(),
      ),
      [406, 'PGRST106'],
    );
    assert.deepEqual(await code(client.from('open_rows').select('id, songs(title)')), [501, 'PGRST127']);
    assert.deepEqual(await code(client.from('open_rows').select().or('id.eq.1,id.eq.2')), [501, 'PGRST127']);
    const raw = await fixture.fetch('/rest/v1/nowhere');
    const body = (await raw.json()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(body).sort(), ['code', 'details', 'hint', 'message']);
    assert.equal(raw.headers.get('proxy-status'), 'PostgREST; error=PGRST205');
    assert.equal((await fixture.fetch('/rest/v1/open_rows?limit=x')).status, 400);
  });

  it('binds every value and quotes every name', async () => {
    const client = fixture.client();
    const evil = `'; drop table public.open_rows; --`;
    assert.deepEqual((await client.from('open_rows').select('id').eq('name', evil)).data, []);
    assert.equal(
      (await client.from('open_rows').select('id').eq('id"; drop table open_rows; --', 1)).error?.code,
      '42703',
    );
    assert.equal((await client.from('open_rows').select('id').order('id desc;--')).error?.code, '42703');
    assert.equal((await client.from('open_rows"; drop table x; --').select()).error?.code, 'PGRST205');
    assert.equal((await client.from('open_rows').select('id', { count: 'exact', head: true })).count, 20);
  });

  it('rejects expired and forged tokens with the messages of PostgREST', async () => {
    const ring = await openKeyRing(fixture.keys);
    const seconds = Math.floor(Date.now() / 1000);
    const token = await ring.signUser({ role: 'authenticated', exp: seconds - 5, iat: seconds - 10 });
    const expired = await fixture.fetch('/rest/v1/open_rows', { token });
    assert.equal(expired.status, 401);
    assert.deepEqual(await expired.json(), { code: 'PGRST303', details: null, hint: null, message: 'JWT expired' });
    const superuser = await ring.signUser({ role: 'supabase_admin', exp: seconds + 60 });
    assert.equal((await fixture.fetch('/rest/v1/open_rows', { token: superuser })).status, 401);
    const malformed = await fixture.fetch('/rest/v1/open_rows', { token: 'nonsense' });
    assert.equal(malformed.status, 401);
    assert.equal(((await malformed.json()) as { code: string }).code, 'PGRST301');
    assert.match(malformed.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/);
  });

  it('finds a new table without a restart, and a changed column after NOTIFY pgrst', async () => {
    const client = fixture.client();
    assert.equal((await client.from('later').select()).error?.code, 'PGRST205');
    await fixture.sql`create table public.later (id int, changed text)`;
    await fixture.sql`grant all on public.later to anon`;
    assert.deepEqual((await client.from('later').select()).data, []);
    await fixture.sql`alter table public.later alter column changed type int using 1`;
    await fixture.sql`notify pgrst, 'reload schema'`;
    await until(
      'the new type is known',
      async () => (await client.from('later').select().eq('changed', 'x')).error?.code === '22P02',
    );
  });

  it('works after all its connections were lost, with the statement timeout of the role', async () => {
    await fixture.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like 'supabase-local%'`;
    await until(
      'it responds',
      async () => (await fixture.client().from('open_rows').select('id').limit(1)).status === 200,
    );
    await fixture.sql`create function public.timeout() returns text language sql as $$ select current_setting('statement_timeout') $$`;
    assert.equal((await fixture.client().rpc('timeout')).data, '3s');
    assert.equal((await (await fixture.visitor()).client.rpc('timeout')).data, '8s');
  });

  it('responds to preflights without a key, and allows every header of the client', async () => {
    const preflight = await fetch(`${fixture.url}/rest/v1/open_rows`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:5173',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'accept-profile,content-profile,prefer,x-future-header',
      },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
    const allowed = preflight.headers.get('access-control-allow-headers') ?? '';
    for (const name of ['authorization', 'apikey', 'accept-profile', 'content-profile', 'x-upsert', 'x-future-header'])
      assert.match(allowed, new RegExp(name));
    const error = await fetch(`${fixture.url}/rest/v1/open_rows`);
    assert.equal(error.status, 401);
    assert.equal(error.headers.get('access-control-allow-origin'), '*');
  });

  it('returns 501 with a pointer to the README for unsupported calls', async () => {
    for (const path of [
      '/graphql/v1',
      '/auth/v1/otp',
      '/storage/v1/object/copy',
      '/rest/v1/',
      '/pg/x',
      '/realtime/v1/api/x',
    ]) {
      const response = await fixture.fetch(path, { method: 'POST', body: '{}' });
      assert.equal(response.status, 501, path);
      assert.match(JSON.stringify(await response.json()), /does not implement.*README\.md/s);
    }
  });
});
