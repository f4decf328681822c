/** Creates the roles and schemas of hosted Supabase in a plain Postgres database. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import postgres from 'postgres';

/** Password of the role `postgres`, as in the Supabase CLI's local stack. Servers with it must listen on loopback only. */
export const LOCAL_PASSWORD = 'postgres';

/** Advisory lock: two bootstraps of one cluster must not create the same role at the same time. The number is arbitrary. */
const BOOTSTRAP_LOCK = 5_430_001;

/**
 * Creates roles and schemas as hosted Supabase has them in one database. Safe to repeat: it changes what differs.
 * @param superuserUrl connection URL of the database, as its superuser
 * @param rolePassword password of the roles that can log in
 */
export async function bootstrap(superuserUrl: string, rolePassword = LOCAL_PASSWORD): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(${BOOTSTRAP_LOCK})`;
      await tx`select set_config('supabase_local.role_password', ${rolePassword}, true)`;
      for (const file of await bootstrapFiles()) await tx.unsafe(await readFile(file, 'utf8'));
    });
  } finally {
    await sql.end();
  }
}

/** Returns the paths of the bootstrap's SQL files in the order in which they run. */
export async function bootstrapFiles(): Promise<string[]> {
  const names = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.sql')).sort();
  return names.map((name) => join(import.meta.dirname, name));
}
