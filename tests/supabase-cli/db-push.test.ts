import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** Not a dependency of the project: 135 MB that only this test needs. */
const CLI = 'supabase@3.1.0';

/** Runs the real CLI's `db push` against a database and answers what it printed. */
async function dbPush(url: string): Promise<string> {
  const { stdout, stderr } = await run('npx', ['--yes', CLI, 'db', 'push', `--remote=${url}`, '--yes'], {
    cwd: ROOT,
    timeout: 240_000,
    env: { ...process.env, CI: '1', DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1' },
  });
  return stdout + stderr;
}

describe('the Supabase CLI', () => {
  it('applies the migrations to an empty Supabase database and finds nothing left the second time', async (t) => {
    const db = await useDatabase(t, { empty: true });
    const first = await dbPush(db.url);
    assert.match(first, /Applying migration 20261122000001_map_and_settings\.sql/);
    assert.match(await dbPush(db.url), /up to date/i);
    const [jobs] = await db.sql`select count(*)::int as n from public.mashup_jobs`;
    assert.equal(jobs?.n, 0);
    assert.deepEqual((await migrate({ databaseUrl: db.url })).applied, [], 'our own runner agrees');
  });

  it('finds nothing to do after our own runner', async (t) => {
    const db = await useDatabase(t);
    assert.match(await dbPush(db.url), /up to date/i);
  });
});
