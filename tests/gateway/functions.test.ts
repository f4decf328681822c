import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { FunctionsHttpError } from '@supabase/supabase-js';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';

/** Stands for the Deno runner: the tests are about what the gateway forwards. */
const aborted: string[] = [];
let release = (): void => {};
const upstream = createServer((request, response) => void respond(request, response));
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
after(() => void upstream.close().closeAllConnections());

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  request.on('error', () => {});
  response.on('close', () => {
    if (!response.writableFinished) aborted.push(path);
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
const fixture = await useGateway({ after }, { config: { functionsUrl } });

describe('functions of the gateway', { skip: LOCAL_ONLY }, () => {
  it('forwards method, path, query, headers and body, and the response', async () => {
    const { client, token } = await fixture.visitor();
    const { data } = await client.functions.invoke('echo/sub?x=1', { body: { a: 1 } });
    assert.deepEqual(data, {
      path: '/echo/sub?x=1',
      method: 'POST',
      apikey: fixture.keys.anonKey,
      authorization: `Bearer ${token}`,
      body: '{"a":1}',
    });
    const rejected = await client.functions.invoke('refuse', { body: {} });
    assert.ok(rejected.error instanceof FunctionsHttpError);
    assert.deepEqual(await rejected.error.context.json(), { error: 'no', code: 'mine' });
  });

  it('requires no authorization: a publishable key without a session sends none', async () => {
    const { data, error } = await fixture
      .client(fixture.keys.publishableKey)
      .functions.invoke('echo', { method: 'GET' });
    assert.equal(error, null);
    assert.equal(data.authorization, undefined);
    assert.equal(data.apikey, fixture.keys.publishableKey);
  });

  it('leaves CORS to the function', async () => {
    const preflight = await fetch(`${fixture.url}/functions/v1/echo`, { method: 'OPTIONS' });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), 'http://mine');
    assert.equal(preflight.headers.get('access-control-expose-headers'), null);
  });

  it('streams responses, and aborts the request when the caller disconnects', async () => {
    const { data } = await fixture.client().functions.invoke<Response>('stream');
    const reader = (data as unknown as Response).body!.getReader();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode((await reader.read()).value), 'data: 1\n\n');
    release();
    assert.equal(decoder.decode((await reader.read()).value), 'data: 2\n\n');
    assert.equal((await reader.read()).done, true);
    const abort = new AbortController();
    await fixture.fetch('/functions/v1/stream-left', { signal: abort.signal });
    abort.abort();
    await until('the function notices it', () => aborted.includes('/stream-left'));
  });

  it('reports a function that does not exist or does not run as hosted Supabase does', async () => {
    const nameless = await fixture.fetch('/functions/v1/');
    assert.equal(nameless.status, 404);
    assert.deepEqual(await nameless.json(), { code: 'NOT_FOUND', message: 'Requested function was not found' });
    const down = await useGateway({ after }, { config: { functionsUrl: 'http://127.0.0.1:9' } });
    const { error } = await down.client().functions.invoke('echo');
    assert.ok(error instanceof FunctionsHttpError);
    assert.equal(error.context.status, 503);
    assert.equal(((await error.context.json()) as { code: string }).code, 'BOOT_ERROR');
  });

  it('does not listen on an address that other machines could reach', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.7', 'example.com'])
      await assert.rejects(
        startGateway({ host, port: 0, dbUrl: 'postgres://x', keys: fixture.keys, storageDir: fixture.storageDir }),
        {
          code: 'gateway_config',
        },
      );
  });
});
