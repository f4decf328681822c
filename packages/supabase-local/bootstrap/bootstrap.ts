import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import postgres from 'postgres';

import { LOCAL_PASSWORD } from '../../../local/postgres/launcher.ts';

/** Where the bootstrap's SQL files lie. */
export const BOOTSTRAP_DIR = import.meta.dirname;

/** Any number: two bootstraps of one cluster must not make the same role at once. */
const BOOTSTRAP_LOCK = 5_430_001;

/**
 * Lays roles and schemas as hosted Supabase has them into one database. Safe to run again: it changes what differs.
 * @param superuserUrl the database to fill, as its superuser
 */
export async function bootstrap(superuserUrl: string): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${BOOTSTRAP_LOCK})`;
      await tx`select set_config('mashup.role_password', ${LOCAL_PASSWORD}, true)`;
      for (const file of await bootstrapFiles()) await tx.unsafe(await readFile(file, 'utf8'));
    });
  } finally {
    await sql.end();
  }
}

/** The bootstrap's SQL files in the order in which they run. */
export async function bootstrapFiles(): Promise<string[]> {
  const names = (await readdir(BOOTSTRAP_DIR)).filter((name) => name.endsWith('.sql')).sort();
  return names.map((name) => join(BOOTSTRAP_DIR, name));
}
