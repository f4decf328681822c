/** Habits of supabase-js that a stand-in has to bear: repeated reads, sessions about to end, calls that it does not speak. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { useGateway } from '../gateway/gateway-fixture.ts';

const SETUP = `
  create table public.things (id int primary key, name text);
  grant all on public.things to anon, authenticated;
  insert into public.things values (1, 'one');
`;
// Sessions that the client renews before every call: less than 90 s are left from the start.
const world = await useGateway({ after }, { setup: SETUP, config: { tokenSeconds: 60 } });

describe('a read that finds the database away', () => {
  it('is repeated by the client, and a write is not', async (t) => {
    const seen: string[] = [];
    // In front of the gateway, since it is the client's way of asking that matters: two 503s as the gateway words them.
    const front = createServer((request, response) => {
      seen.push(`${request.method} ${request.headers['x-retry-count'] ?? '0'}`);
      if (request.method !== 'GET' || seen.length < 3) {
        response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '0' });
        response.end(JSON.stringify({ code: 'PGRST000', message: 'away', details: null, hint: null }));
        return;
      }
      void fetch(world.url + request.url, { headers: request.headers as Record<string, string> }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': 'application/json' });
          response.end(await answer.text());
        },
      );
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    t.after(() => front.close());
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    const client = createClient(url, world.keys.anonKey, { auth: { persistSession: false, autoRefreshToken: false } });
    const { data } = await client.from('things').select('name').single();
    assert.deepEqual(data, { name: 'one' });
    assert.deepEqual(seen, ['GET 0', 'GET 1', 'GET 2']);
    const { status } = await client.from('things').insert({ id: 2, name: 'two' });
    assert.equal(status, 503);
    assert.equal(seen.length, 4);
  });
});

describe('a session that ends within 90 seconds', () => {
  it('is renewed before a call, with a new refresh token each time, and the call goes through', async () => {
    const { client } = await world.visitor();
    const tokens = new Set<string>();
    for (let call = 0; call < 3; call++) {
      const { status } = await client.from('things').select('id');
      assert.equal(status, 200);
      const { data } = await client.auth.getSession();
      tokens.add(data.session?.refresh_token ?? '');
    }
    assert.ok(tokens.size >= 2, `${tokens.size} tokens`);
  });

  it('does not log out another tab that renews at the same moment', async () => {
    const { client } = await world.visitor();
    const { data } = await client.auth.getSession();
    assert.ok(data.session);
    const { access_token, refresh_token } = data.session;
    const tabs = await Promise.all(
      [world.client(), world.client()].map(async (tab) => {
        await tab.auth.setSession({ access_token, refresh_token });
        return tab;
      }),
    );
    const renewed = await Promise.all(tabs.map((tab) => tab.auth.refreshSession({ refresh_token })));
    assert.deepEqual(
      renewed.map(({ error }) => error),
      [null, null],
    );
    for (const tab of tabs) assert.equal((await tab.from('things').select('id')).status, 200);
  });
});

describe('what this project never asks of REST', () => {
  it('is a 501 that says so: upsert, or, and, embedding', async () => {
    const things = () => world.client().from('things');
    for (const call of [
      things().upsert({ id: 1, name: 'x' }),
      things().select('*').or('id.eq.1,id.eq.2'),
      things().select('*, other(*)'),
    ]) {
      const { status, error } = await call;
      assert.equal(status, 501, JSON.stringify(error));
      assert.match(error?.message ?? '', /./);
    }
    const { data } = await things().select('name').eq('id', 1).single();
    assert.deepEqual(data, { name: 'one' }, 'and does nothing');
  });
});
