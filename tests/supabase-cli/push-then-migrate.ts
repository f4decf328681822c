/** The Supabase CLI first, then `mashup migrate`. */
import assert from 'node:assert/strict';
import { migrate, MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { dbPush } from '../support/supabase-cli.ts';

/** Pushes with a version of the CLI, twice, and migrates. Asserts what each of them applies and says. */
export async function pushThenMigrate(db: TestDatabase, version?: string): Promise<void> {
  const first = await dbPush(db.url, version);
  for (const { file } of await readMigrations(MIGRATIONS_DIR)) assert.ok(first.includes(file), `${file} was applied`);
  assert.match(await dbPush(db.url, version), /up to date/i);
  const lines: string[] = [];
  const { applied } = await migrate({ databaseUrl: db.url, log: (line) => lines.push(line) });
  assert.deepEqual({ applied, lines }, { applied: [], lines: ['created the schema of the queue, mashup_queue'] });
}
