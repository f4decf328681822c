import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { FunctionsHttpError } from '@supabase/supabase-js';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import { LOCAL_ONLY, until, useGateway } from './gateway-fixture.ts';

/** Stands where the Deno runner does: the subject here is what passes through, byte by byte. */
const gone: string[] = [];
let release = (): void => {};
const upstream = createServer((request, response) => void answer(request, response));
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
after(() => void upstream.close().closeAllConnections());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  request.on('error', () => {});
  response.on('close', () => {
    if (!response.writableFinished) gone.push(path);
  });
  if (path.startsWith('/echo')) {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    response.writeHead(request.method === 'OPTIONS' ? 204 : 200, {
      'content-type': 'application/json',
      'access-control-allow-origin': 'http://mine',
    });
    const { apikey, authorization } = request.headers;
    response.end(
      JSON.stringify({ path, method: request.method, apikey, authorization, body: Buffer.concat(chunks).toString() }),
    );
  } else if (path.startsWith('/refuse')) {
    response.writeHead(422, { 'content-type': 'application/json' }).end('{"error":"no","code":"mine"}');
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
    release = () => response.end('data: 2\n\n');
  }
}

const functionsUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
const world = await useGateway({ after }, { config: { functionsUrl } });

describe('the gateway before the functions', { skip: LOCAL_ONLY }, () => {
  it('passes method, path, query, headers and body on, and the answer back', async () => {
    const { client, token } = await world.visitor();
    const { data } = await client.functions.invoke('echo/sub?x=1', { body: { a: 1 } });
    assert.deepEqual(data, {
      path: '/echo/sub?x=1',
      method: 'POST',
      apikey: world.keys.anonKey,
      authorization: `Bearer ${token}`,
      body: '{"a":1}',
    });
    const refused = await client.functions.invoke('refuse', { body: {} });
    assert.ok(refused.error instanceof FunctionsHttpError);
    assert.deepEqual(await refused.error.context.json(), { error: 'no', code: 'mine' });
  });

  it('demands no authorization: a publishable key without a session sends none', async () => {
    const { data, error } = await world.client(world.keys.publishableKey).functions.invoke('echo', { method: 'GET' });
    assert.equal(error, null);
    assert.equal(data.authorization, undefined);
    assert.equal(data.apikey, world.keys.publishableKey);
  });

  it('leaves CORS to the function', async () => {
    const preflight = await fetch(`${world.url}/functions/v1/echo`, { method: 'OPTIONS' });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'http://mine');
    assert.equal(preflight.headers.get('access-control-expose-headers'), null);
  });

  it('streams answers as they come, and passes the going of the caller on', async () => {
    const { data } = await world.client().functions.invoke<Response>('stream');
    const reader = (data as unknown as Response).body!.getReader();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode((await reader.read()).value), 'data: 1\n\n');
    release();
    assert.equal(decoder.decode((await reader.read()).value), 'data: 2\n\n');
    assert.equal((await reader.read()).done, true);
    const abort = new AbortController();
    await world.fetch('/functions/v1/stream-left', { signal: abort.signal });
    abort.abort();
    await until('the function sees it', () => gone.includes('/stream-left'));
  });

  it('says in platform words that a function is not there or not running', async () => {
    const nameless = await world.fetch('/functions/v1/');
    assert.equal(nameless.status, 404);
    assert.deepEqual(await nameless.json(), { code: 'NOT_FOUND', message: 'Requested function was not found' });
    const down = await useGateway({ after }, { config: { functionsUrl: 'http://127.0.0.1:9' } });
    const { error } = await down.client().functions.invoke('echo');
    assert.ok(error instanceof FunctionsHttpError);
    assert.equal(error.context.status, 503);
    assert.equal(((await error.context.json()) as { code: string }).code, 'BOOT_ERROR');
  });

  it('refuses to listen where other machines could reach it', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.7', 'example.com'])
      await assert.rejects(
        startGateway({ host, port: 0, dbUrl: 'postgres://x', keys: world.keys, storageDir: world.storageDir }),
        {
          code: 'gateway_config',
        },
      );
  });
});
