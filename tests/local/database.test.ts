import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import { scratchDir } from './local-fixture.ts';

test('migrating a migrated database applies nothing', async (t) => {
  const database = await useDatabase(t);
  assert.deepEqual(await migrate({ databaseUrl: database.url }), { applied: [] });
});

test('a database without Supabase’s schemas is rejected with a hint', async (t) => {
  const database = await useDatabase(t, { empty: true });
  await database.sql`create database ${database.sql(`${database.name}_plain`)} template template0`;
  const plain = new URL(database.url);
  plain.pathname += '_plain';
  try {
    await assert.rejects(migrate({ databaseUrl: plain.href }), { name: 'MigrateError', code: 'not_supabase' });
  } finally {
    await database.sql`drop database ${database.sql(`${database.name}_plain`)} with (force)`;
  }
});

test('a failing migration is reported with file and line and rolled back; earlier ones are kept', async (t) => {
  const database = await useDatabase(t, { empty: true });
  const migrationsDir = await scratchDir(t);
  await writeFile(join(migrationsDir, '1_first.sql'), 'create table public.kept (id int);');
  await writeFile(join(migrationsDir, '2_second.sql'), 'create table public.lost (id int);\n\nselect nonsense;');
  const run = (): Promise<unknown> => migrate({ databaseUrl: database.url, migrationsDir });
  await assert.rejects(run(), { code: 'migration_failed', message: /^2_second\.sql:3: .*nonsense/ });
  const tables = await database.sql`select tablename from pg_tables where schemaname = 'public' order by 1`;
  assert.deepEqual(
    tables.map((table) => table.tablename),
    ['kept'],
  );
  await writeFile(join(migrationsDir, '2_second.sql'), 'create table public.second (id int);');
  assert.deepEqual(await run(), { applied: ['2_second.sql'] });
});

test('a migration that was changed after it was applied is reported, not applied', async (t) => {
  const database = await useDatabase(t, { empty: true });
  const migrationsDir = await scratchDir(t);
  await writeFile(join(migrationsDir, '1_first.sql'), 'create table public.first (id int);');
  const lines: string[] = [];
  const run = (): Promise<unknown> =>
    migrate({ databaseUrl: database.url, migrationsDir, log: (line) => lines.push(line) });
  await run();
  await writeFile(join(migrationsDir, '1_first.sql'), 'create table public.other (id int);');
  assert.deepEqual(await run(), { applied: [] });
  assert.match(lines.join(), /1_first\.sql was changed/);
});

test('two concurrent runs apply each migration once', async (t) => {
  const database = await useDatabase(t, { empty: true });
  const results = await Promise.all([migrate({ databaseUrl: database.url }), migrate({ databaseUrl: database.url })]);
  const applied = results.flatMap((result) => result.applied);
  assert.equal(new Set(applied).size, applied.length);
  assert.deepEqual(await migrate({ databaseUrl: database.url }), { applied: [] });
});
