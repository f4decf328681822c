import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { migrate, MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import { dbPush } from '../support/supabase-cli.ts';

describe('the Supabase CLI', () => {
  it('applies the migration to an empty Supabase database, and nothing the second time', async (t) => {
    const db = await useDatabase(t, { empty: true });
    const first = await dbPush(db.url);
    for (const { file } of await readMigrations(MIGRATIONS_DIR)) assert.ok(first.includes(file), `${file} was applied`);
    assert.match(await dbPush(db.url), /up to date/i);
    const [jobs] = await db.sql`select count(*)::int as n from public.mashup_jobs`;
    assert.equal(jobs?.n, 0);
    assert.deepEqual((await migrate({ databaseUrl: db.url })).applied, [], 'our own runner agrees');
  });

  it('applies nothing after our own runner', async (t) => {
    const db = await useDatabase(t);
    assert.match(await dbPush(db.url), /up to date/i);
  });
});
