import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useDatabase } from '../support/postgres.ts';
import { dbPush } from '../support/supabase-cli.ts';
import { pushThenMigrate } from './push-then-migrate.ts';

describe('the Supabase CLI', () => {
  it('applies the migration to an empty Supabase database, to which mashup migrate adds the queue and nothing else', async (t) => {
    const db = await useDatabase(t, { empty: true });
    await pushThenMigrate(db);
    const [jobs] = await db.sql`select count(*)::int as n from public.mashup_jobs`;
    assert.equal(jobs?.n, 0);
  });

  it('applies nothing after our own runner', async (t) => {
    const db = await useDatabase(t);
    assert.match(await dbPush(db.url), /up to date/i);
  });
});
