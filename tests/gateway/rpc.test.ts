import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

const SETUP = `
  create table public.points (id int primary key, x int, label text);
  insert into public.points values (1, 10, 'a'), (2, 20, 'b'), (3, 30, null);
  grant select on public.points to anon, authenticated;
  create function public.add(a int, b int default 1) returns int language sql immutable as 'select a + b';
  create function public.nothing() returns void language plpgsql as 'begin end';
  create function public.echo_json(j jsonb) returns jsonb language sql as 'select j';
  create function public.total(l int[]) returns bigint language sql as 'select sum(v) from unnest(l) v';
  create function public.no_text() returns text language sql as 'select null::text';
  create function public.one_point(wanted int) returns public.points language sql as 'select * from public.points where id = wanted';
  create function public.all_points() returns setof public.points language sql as 'select * from public.points order by id';
  create function public.names() returns setof text language sql as $$ select 'p' || id from public.points order by id $$;
  create function public.pairs(n int) returns table (k int, double int) language sql as 'select g, g * 2 from generate_series(1, n) g';
  create function public.write_point(wanted int) returns void language sql as $$ update public.points set label = 'w' where id = wanted $$;
  create function public.fail_with(state text, words text, more text default null, help text default null) returns void
    language plpgsql as $$ begin raise exception using errcode = state, message = words, detail = coalesce(more, ''), hint = coalesce(help, ''); end $$;
  create function public.answer_with(status text, headers text) returns int
    language plpgsql as $$ begin
      perform set_config('response.status', status, true), set_config('response.headers', headers, true);
      return 1; end $$;
  create function public.who() returns json language sql as $$
    select json_build_object('role', current_user, 'uid', auth.uid(), 'method', current_setting('request.method'),
      'path', current_setting('request.path'), 'agent', current_setting('request.headers')::json ->> 'x-client-info') $$;
  create function public.locked() returns int language sql as 'select 1';
  revoke execute on function public.locked() from public, anon, authenticated;
`;
const fixture = await useGateway({ after }, { setup: SETUP });
const client = fixture.client();

describe('REST of the gateway: functions', { skip: LOCAL_ONLY }, () => {
  it('returns scalars as bare JSON, with named and default arguments, by POST and by GET', async () => {
    assert.equal((await client.rpc('add', { a: 4 })).data, 5);
    assert.equal((await client.rpc('add', { b: 5, a: 4 }, { get: true })).data, 9);
    assert.equal((await client.rpc('total', { l: [1, 2, 3] })).data, 6);
    assert.equal((await client.rpc('total', { l: [1, 2] }, { get: true })).data, 3);
    assert.deepEqual((await client.rpc('echo_json', { j: { a: [null, 'x'] } })).data, { a: [null, 'x'] });
    assert.equal((await client.rpc('no_text')).data, null);
    assert.equal(await (await fixture.fetch('/rest/v1/rpc/no_text', { method: 'POST', body: '{}' })).text(), 'null');
  });

  it('returns 204 without a body for void', async () => {
    const { data, status, error } = await client.rpc('nothing');
    assert.deepEqual([data, status, error], [null, 204, null]);
  });

  it('returns a composite as an object, of nulls if there is none, and a set as an array', async () => {
    assert.deepEqual((await client.rpc('one_point', { wanted: 2 })).data, { id: 2, x: 20, label: 'b' });
    assert.deepEqual((await client.rpc('one_point', { wanted: 9 })).data, { id: null, x: null, label: null });
    assert.deepEqual((await client.rpc('names')).data, ['p1', 'p2', 'p3']);
    assert.deepEqual((await client.rpc('pairs', { n: 0 })).data, []);
    assert.deepEqual((await client.rpc('pairs', { n: 2 })).data, [
      { k: 1, double: 2 },
      { k: 2, double: 4 },
    ]);
  });

  it('filters, orders, counts and limits sets', async () => {
    const some = await client
      .rpc('all_points', {}, { count: 'exact' })
      .select('id')
      .gt('x', 5)
      .order('id', { ascending: false })
      .limit(2);
    assert.deepEqual([some.data, some.count], [[{ id: 3 }, { id: 2 }], 3]);
    const one = await client.rpc('all_points').eq('id', 1).single();
    assert.deepEqual(one.data, { id: 1, x: 10, label: 'a' });
    assert.equal((await client.rpc('all_points').eq('id', 9).single()).error?.code, 'PGRST116');
    const got = await client.rpc('pairs', { n: 5 }, { get: true }).gte('k', 4);
    assert.deepEqual(got.data, [
      { k: 4, double: 8 },
      { k: 5, double: 10 },
    ]);
  });

  it('returns 404 for another name or other arguments', async () => {
    const unknown = await client.rpc('missing', { a: 1 });
    assert.deepEqual([unknown.status, unknown.error?.code], [404, 'PGRST202']);
    const wrong = await client.rpc('add', { a: 1, c: 2 });
    assert.deepEqual([wrong.status, wrong.error?.code], [404, 'PGRST202']);
    assert.match(wrong.error?.message ?? '', /public\.add\(a, c\)/);
    assert.equal((await client.rpc('add')).error?.code, 'PGRST202');
    const bad = await client.rpc('add', { a: 'x' });
    assert.deepEqual([bad.status, bad.error?.code], [400, '22P02']);
  });

  it('maps SQLSTATEs to statuses and returns message, detail and hint', async () => {
    const fail = async (state: string, extra: Record<string, string> = {}): Promise<[number, unknown]> => {
      const { status, error } = await client.rpc('fail_with', { state, words: 'the words', ...extra });
      return [status, error?.code];
    };
    assert.deepEqual(await fail('P0001'), [400, 'P0001']);
    assert.deepEqual(await fail('P0002'), [500, 'P0002']);
    assert.deepEqual(await fail('23505'), [409, '23505']);
    assert.deepEqual(await fail('28000'), [403, '28000']);
    assert.deepEqual(await fail('40001'), [500, '40001']);
    assert.deepEqual(await fail('MB001'), [400, 'MB001']);
    assert.deepEqual(await fail('PT404'), [404, 'PT404']);
    const own = await client.rpc('fail_with', { state: 'MB002', words: 'not now', more: 'detail', help: 'try later' });
    assert.deepEqual(
      { code: own.error?.code, message: own.error?.message, details: own.error?.details, hint: own.error?.hint },
      { code: 'MB002', message: 'not now', details: 'detail', hint: 'try later' },
    );
    const teapot = await client.rpc('fail_with', { state: 'PT418', words: 'I am a teapot' });
    assert.deepEqual([teapot.status, teapot.statusText], [418, 'I am a teapot']);
  });

  it('takes the response from a raise of SQLSTATE PGRST and from the response settings', async () => {
    const raised = await fixture.fetch('/rest/v1/rpc/fail_with', {
      method: 'POST',
      body: JSON.stringify({
        state: 'PGRST',
        words: '{"code":"MINE","message":"as I say","hint":"h"}',
        more: '{"status":402,"headers":{"x-mine":"yes"}}',
      }),
    });
    assert.equal(raised.status, 402);
    assert.equal(raised.headers.get('x-mine'), 'yes');
    assert.deepEqual(await raised.json(), { code: 'MINE', details: null, hint: 'h', message: 'as I say' });
    const unreadable = await client.rpc('fail_with', { state: 'PGRST', words: 'no json' });
    assert.deepEqual([unreadable.status, unreadable.error?.code], [500, 'PGRST121']);
    const own = await fixture.fetch('/rest/v1/rpc/answer_with', {
      method: 'POST',
      body: JSON.stringify({ status: '202', headers: '[{"x-two":"2"},{"x-three":"3"}]' }),
    });
    assert.deepEqual([own.status, own.headers.get('x-two'), own.headers.get('x-three')], [202, '2', '3']);
  });

  it('runs as the caller, with the request in the settings, and read-only for GET', async () => {
    const visitor = await fixture.visitor();
    const { data } = await visitor.client.rpc('who');
    assert.equal(data.role, 'authenticated');
    assert.equal(data.uid, visitor.id);
    assert.deepEqual([data.method, data.path], ['POST', '/rpc/who']);
    assert.match(data.agent, /^supabase-js/);
    const anonymous = await fixture.client(fixture.keys.publishableKey).rpc('who');
    assert.deepEqual([anonymous.data.role, anonymous.data.uid], ['anon', null]);
    const written = await client.rpc('write_point', { wanted: 1 }, { get: true });
    assert.deepEqual([written.status, written.error?.code], [405, '25006']);
    const locked = await client.rpc('locked');
    assert.deepEqual([locked.status, locked.error?.message], [401, 'permission denied for function locked']);
    assert.equal((await visitor.client.rpc('locked')).status, 403);
  });
});
