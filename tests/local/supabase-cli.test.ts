import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { migrate, MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import { scratchDir } from './scratch.ts';

const run = promisify(execFile);
/** 135 MB from the registry: not for every run on a laptop. */
const wanted = process.env.CI || process.env.MASHUP_TEST_SUPABASE_CLI;
const skip = wanted ? false : 'set MASHUP_TEST_SUPABASE_CLI=1 to fetch and run the Supabase CLI';

test('the Supabase CLI and mashup migrate leave each other nothing to do', { skip, timeout: 300_000 }, async (t) => {
  const project = await scratchDir(t);
  await mkdir(join(project, 'supabase'));
  await cp(MIGRATIONS_DIR, join(project, 'supabase', 'migrations'), { recursive: true });
  const push = async (url: string): Promise<string> => {
    const args = ['--yes', 'supabase@3', 'db', 'push', '--yes', `--remote=${url}?sslmode=disable`];
    const { stdout, stderr } = await run('npx', args, { cwd: project });
    return stdout + stderr;
  };

  const migrated = await useDatabase(t);
  assert.match(await push(migrated.url), /up to date/);

  const empty = await useDatabase(t, { empty: true });
  const first = await push(empty.url);
  for (const { file } of await readMigrations(MIGRATIONS_DIR)) assert.ok(first.includes(file), `${file} was applied`);
  assert.match(await push(empty.url), /up to date/);
  assert.deepEqual(await migrate({ databaseUrl: empty.url }), { applied: [] });
});
