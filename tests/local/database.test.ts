import assert from 'node:assert/strict';
import { test } from 'node:test';

import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';

test('migrating a migrated database finds nothing to do', async (t) => {
  const database = await useDatabase(t);
  assert.deepEqual(await migrate({ databaseUrl: database.url }), { applied: [] });
});

test('a database without Supabase’s schemas is refused with a hint', async (t) => {
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
