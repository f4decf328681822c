/** A command whose output is closed (`| head`) stops what it has started. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { findPostgres } from '../../local/postgres/launcher.ts';

const ROOT = join(import.meta.dirname, '../..');
const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'].map((name) => join(ROOT, 'examples', name));

test('make whose output is closed while the stack starts leaves no Postgres running', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'mashup-closed-pipe-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const { SUPABASE_URL: _url, DATABASE_URL: _database, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'cli/main.ts'),
      '--data-dir',
      directory,
      '--port-base',
      '0',
      'make',
      ...SONGS,
      '--out',
      join(directory, 'x.wav'),
    ],
    { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('Postgres listens')) break;
  assert.ok(await findPostgres(join(directory, 'postgres')), `Postgres runs; ${errors}`);
  child.stdout.destroy();
  const [code] = (await exited) as [number | null];
  assert.equal(code, 0, errors);
  assert.equal(await findPostgres(join(directory, 'postgres')), undefined);
});
