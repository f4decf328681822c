/** Services on a network require a token, which the worker sends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { createServiceApp, createServiceServer } from '../../services/http/app.ts';
import { readConfig } from '../../worker/config.ts';
import { TaskError } from '../../worker/errors.ts';
import { callJson } from '../../worker/services/http.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'a-token-of-the-services-for-this-test';

const app = createServiceApp({ service: 'scoring', version: 'test', token: TOKEN });
app.post('/work', (context) => context.json({ done: true }));
app.post('/repeat', (context) => context.json({ detail: `You sent ${TOKEN}` }, 400));
const server = createServiceServer(app);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
after(() => server.close());
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const call = (token?: string): Promise<unknown> =>
  callJson({ service: 'scoring', baseUrl: url, path: '/work', body: {}, token, signal: new AbortController().signal });

/** Starts the scoring service. Returns its exit code and what it wrote on standard error. */
async function start(env: Record<string, string>): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'services/scoring/main.ts')], {
    env: { ...process.env, SERVICES_TOKEN: '', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.once('data', () => child.kill('SIGTERM'));
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number]>]);
  return { code, stderr };
}

describe('a service with a token', () => {
  it('serves requests with the token, on connections that stay open for busy clients', async () => {
    assert.deepEqual(await call(TOKEN), { done: true });
    assert.equal((await fetch(`${url}/health`)).headers.get('keep-alive'), 'timeout=75');
  });

  it('refuses requests without it, or with another, as a fault that opens the circuit and spends no attempt', async () => {
    for (const token of [undefined, 'another', `${TOKEN}x`, TOKEN.slice(1)]) {
      await assert.rejects(call(token), (error) => {
        assert.ok(error instanceof TaskError);
        assert.deepEqual(
          [error.code, error.faultClass, error.spendsAttempt],
          ['service_token_refused', 'refused', false],
        );
        assert.match(error.hint, /SCORING_API_TOKEN/);
        return true;
      });
    }
  });

  it('cannot make the worker store the token by repeating it', async () => {
    const repeat = (): Promise<unknown> =>
      callJson({
        service: 'scoring',
        baseUrl: url,
        path: '/repeat',
        body: {},
        token: TOKEN,
        signal: new AbortController().signal,
      });
    await assert.rejects(repeat(), (error) => {
      assert.ok(error instanceof TaskError);
      assert.match(error.message, /You sent …/);
      return !`${error.message} ${error.hint}`.includes(TOKEN);
    });
  });

  it('shows its health to anyone, and nothing else', async () => {
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal((await fetch(`${url}/other`)).status, 401);
    assert.equal((await fetch(`${url}/health`, { method: 'POST' })).status, 401);
  });
});

it('a service without a token refuses requests of web pages', async () => {
  const open = createServiceApp({ service: 'scoring', version: 'test' });
  open.post('/work', (context) => context.json({ done: true }));
  const request = (headers: Record<string, string>) => open.request('/work', { method: 'POST', headers });
  assert.equal((await request({})).status, 200);
  assert.equal((await request({ origin: 'https://site.example' })).status, 403);
});

describe('the start of a service', () => {
  it('is refused on an address that other machines can reach, unless there is a token', async () => {
    const [refused, allowed] = await Promise.all([
      start({ HOST: '0.0.0.0' }),
      start({ HOST: '0.0.0.0', SERVICES_TOKEN: TOKEN }),
    ]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /SERVICES_TOKEN is not set/);
    assert.deepEqual(allowed, { code: 0, stderr: '' });
  });

  it('names an invalid variable', async () => {
    const { code, stderr } = await start({ SERVICES_TOKEN: 'short', SERVICES_ALLOWED_ORIGINS: 'files.example' });
    assert.equal(code, 1);
    assert.match(stderr, /SERVICES_TOKEN must have at least 24 characters; SERVICES_ALLOWED_ORIGINS must be an http/);
    assert.doesNotMatch(stderr, /short/);
  });
});

it('the worker sends each service its own token, or that of all services, or none', () => {
  const { serviceTokens } = readConfig({
    DATABASE_URL: 'postgres://mashup_worker@db.test/postgres',
    SUPABASE_URL: 'https://project.supabase.co',
    SUPABASE_SERVICE_ROLE_KEY: 'key',
    SERVICES_TOKEN: 'shared',
    SEPARATION_API_TOKEN: 'own',
    ORCHESTRATOR_API_TOKEN: 'none',
  });
  assert.deepEqual(serviceTokens, {
    analysis: 'shared',
    processing: 'shared',
    scoring: 'shared',
    orchestrator: undefined,
    separation: 'own',
  });
});
