import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { functionsArguments, locateDeno } from '../../local/functions.ts';
import { isAlive } from '../../local/processes.ts';
import { freePort } from '../../local/ports.ts';
import { isHttpReady } from '../../local/supervisor/http-ready.ts';
import { supervise } from '../../local/supervisor/supervise.ts';
import { until } from '../support/until.ts';
import { scratchDir } from './local-fixture.ts';

const FUNCTIONS = {
  echo: `Deno.serve(async (request) => Response.json({ path: new URL(request.url).pathname, body: await request.text(), key: Deno.env.get('SUPABASE_ANON_KEY') }));`,
  options: `Deno.serve({ port: 1 }, () => new Response('with options'));`,
  throws: `Deno.serve(() => { throw new Error('secret detail'); });`,
  stray: `Deno.serve(() => { void Promise.reject(new Error('stray')); EdgeRuntime.waitUntil(Promise.reject(new Error('late'))); return new Response('ok'); });`,
  broken: `import './nowhere.ts';`,
  _shared: `throw new Error('no function');`,
};

const folder = await scratchDir({ after });
for (const [name, code] of Object.entries(FUNCTIONS)) {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'index.ts'), code);
}
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const runner = await supervise(
  {
    name: 'functions',
    command: locateDeno(),
    args: functionsArguments(folder, port, []),
    env: { ...process.env, SUPABASE_ANON_KEY: 'anon-key' },
    cwd: folder,
    logFile: join(folder, 'functions.log'),
    isReady: () => isHttpReady(`${url}/_health`),
  },
  { log: () => {}, pidChanged: () => {} },
);
after(() => runner.stop());

test('each function is served under its name, with the request unchanged', async () => {
  const response = await fetch(`${url}/echo/sub?x=1`, { method: 'POST', body: 'hello' });
  assert.deepEqual(await response.json(), { path: '/echo/sub', body: 'hello', key: 'anon-key' });
  assert.equal(await (await fetch(`${url}/options`)).text(), 'with options');
});

test('an unknown function, one that does not start and one that throws have the responses of hosted Supabase', async () => {
  const codeOf = async (name: string): Promise<unknown[]> => {
    const response = await fetch(`${url}/${name}`);
    const body = (await response.json()) as { code: string };
    assert.doesNotMatch(JSON.stringify(body), /secret detail|nowhere/);
    return [response.status, body.code, response.headers.get('sb-error-code')];
  };
  assert.deepEqual(await codeOf('unknown'), [404, 'NOT_FOUND', 'NOT_FOUND']);
  assert.deepEqual(await codeOf('_shared'), [404, 'NOT_FOUND', 'NOT_FOUND']);
  assert.deepEqual(await codeOf('broken'), [503, 'BOOT_ERROR', 'BOOT_ERROR']);
  assert.deepEqual(await codeOf('throws'), [500, 'WORKER_ERROR', 'WORKER_ERROR']);
});

test('an unhandled rejection of one function does not end the others', async () => {
  const pid = runner.pid();
  assert.equal(await (await fetch(`${url}/stray`)).text(), 'ok');
  assert.equal(await (await fetch(`${url}/options`)).text(), 'with options');
  assert.equal(runner.pid(), pid);
});

test('the runner stops on request', async () => {
  const pid = runner.pid();
  await runner.stop();
  assert.ok(pid !== undefined);
  await until('it has exited', () => !isAlive(pid));
});
