/** Records of migrations: those of the Supabase CLI are compared with the files, as our own are. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import type { TestContext } from 'node:test';
import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';

const FILE =
  "-- Two tables.\ncreate table public.first (id int);\n\ncreate table public.second (note text default 'a; b');\n";
/** The statements of FILE as `supabase db push` (2.117 and 3.1) records them. */
const STATEMENTS = [
  '-- Two tables.\ncreate table public.first (id int)',
  "create table public.second (note text default 'a; b')",
];
const ONE = 'create table public.third (id int);\n';

async function useMigrations(t: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-migrations-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

it('a migration that the Supabase CLI has applied is not called changed, and one that was edited since is', async (t) => {
  const db = await useDatabase(t, { empty: true });
  await db.sql`create schema supabase_migrations`;
  await db.sql`
    create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`;
  await db.sql`
    insert into supabase_migrations.schema_migrations (version, name, statements)
    values ('1', 'two', ${STATEMENTS}), ('2', 'one', ${[ONE.replace(/;\n$/, '')]})`;
  const run = async (files: Record<string, string>): Promise<{ applied: string[]; lines: string[] }> => {
    const lines: string[] = [];
    const migrationsDir = await useMigrations(t, files);
    const { applied } = await migrate({ databaseUrl: db.url, migrationsDir, log: (line) => lines.push(line) });
    return { applied, lines };
  };
  assert.deepEqual(await run({ '1_two.sql': FILE, '2_one.sql': ONE }), {
    applied: [],
    lines: ['created the schema of the queue, mashup_queue'],
  });
  const edited = await run({ '1_two.sql': FILE.replace('first', 'other'), '2_one.sql': ONE });
  assert.equal(edited.lines.length, 1);
  assert.match(edited.lines[0] ?? '', /^1_two\.sql was changed after/);
});
