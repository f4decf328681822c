/** Behaviour of supabase-js that the gateway has to support: repeated reads, expiring sessions, unsupported calls. */
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
// The client renews a session before a call if it expires within 90 s: with 60 s, before every call.
const fixture = await useGateway({ after }, { setup: SETUP, config: { tokenSeconds: 60 } });

describe('a read while the database is not available', () => {
  it('is repeated by the client, and a write is not', async (t) => {
    const seen: string[] = [];
    // A server in front of the gateway: it sends two 503s with the body of the gateway. The test is about the client's retries.
    const front = createServer((request, response) => {
      seen.push(`${request.method} ${request.headers['x-retry-count'] ?? '0'}`);
      if (request.method !== 'GET' || seen.length < 3) {
        response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '0' });
        response.end(JSON.stringify({ code: 'PGRST000', message: 'unavailable', details: null, hint: null }));
        return;
      }
      void fetch(fixture.url + request.url, { headers: request.headers as Record<string, string> }).then(
        async (forwarded) => {
          response.writeHead(forwarded.status, { 'content-type': 'application/json' });
          response.end(await forwarded.text());
        },
      );
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    t.after(() => front.close());
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    const client = createClient(url, fixture.keys.anonKey, {
      auth: { persistSession: false, autoRefreshToken: false },
    });
    const { data } = await client.from('things').select('name').single();
    assert.deepEqual(data, { name: 'one' });
    assert.deepEqual(seen, ['GET 0', 'GET 1', 'GET 2']);
    const { status } = await client.from('things').insert({ id: 2, name: 'two' });
    assert.equal(status, 503);
    assert.equal(seen.length, 4);
  });
});

describe('a session that expires within 90 seconds', () => {
  it('is renewed before each call, with a new refresh token', async () => {
    const { client } = await fixture.visitor();
    const tokens = new Set<string>();
    for (let call = 0; call < 3; call++) {
      const { status } = await client.from('things').select('id');
      assert.equal(status, 200);
      const { data } = await client.auth.getSession();
      tokens.add(data.session?.refresh_token ?? '');
    }
    assert.ok(tokens.size >= 2, `${tokens.size} tokens`);
  });

  it('is not ended when two tabs renew it at the same time', async () => {
    const { client } = await fixture.visitor();
    const { data } = await client.auth.getSession();
    assert.ok(data.session);
    const { access_token, refresh_token } = data.session;
    const tabs = await Promise.all(
      [fixture.client(), fixture.client()].map(async (tab) => {
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

describe('features of REST that the gateway does not support', () => {
  it('give 501 and change nothing: upsert, or, embedding', async () => {
    const things = () => fixture.client().from('things');
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
    assert.deepEqual(data, { name: 'one' }, 'nothing was changed');
  });
});
