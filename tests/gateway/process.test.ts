import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, it } from 'node:test';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import { useDatabase } from '../support/postgres.ts';
import { LOCAL_ONLY } from './gateway-fixture.ts';

const MAIN = new URL('../../packages/supabase-local/gateway/main.ts', import.meta.url).pathname;
const directory = await mkdtemp(join(tmpdir(), 'supabase-local-'));
after(() => rm(directory, { recursive: true, force: true }));

it('prints one line when it listens, and exits with its parent', { skip: LOCAL_ONLY }, async (t) => {
  const { superuserUrl } = await useDatabase(t, { empty: true });
  const keysFile = join(directory, 'keys.json');
  const keys = await makeKeys();
  await writeFile(keysFile, JSON.stringify(keys));
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      SUPABASE_LOCAL_PORT: '0',
      SUPABASE_LOCAL_DB_URL: superuserUrl,
      SUPABASE_LOCAL_KEYS_FILE: keysFile,
      SUPABASE_LOCAL_STORAGE_DIR: join(directory, 'storage'),
      SUPABASE_LOCAL_EXIT_WITH_PARENT: '1',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { port, ...rest } = JSON.parse(line) as { port: number };
  assert.deepEqual(rest, { listening: true, service: 'gateway' });
  const response = await fetch(`http://127.0.0.1:${port}/auth/v1/signup`, {
    method: 'POST',
    headers: { apikey: keys.anonKey },
    body: '{}',
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('keep-alive'), 'timeout=75', 'a busy client finds its idle connection open');
  child.stdin.end();
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});

it('names the invalid settings and exits', { skip: LOCAL_ONLY }, async () => {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      SUPABASE_LOCAL_HOST: '0.0.0.0',
      SUPABASE_LOCAL_DB_URL: 'postgres://user:hush@127.0.0.1:1/x',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 1);
  assert.match(output, /loopback only/);
  assert.match(output, /SUPABASE_LOCAL_KEYS_FILE/);
  assert.doesNotMatch(output, /hush/);
});
