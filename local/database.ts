import postgres from 'postgres';

import { migrate } from '../migrate/migrate.ts';
import { bootstrap } from '@mashup-engine/supabase-local/bootstrap';

/**
 * Prepares the database for the stack: roles, schemas, migrations and the login of the worker.
 * @throws MigrateError
 */
export async function prepareDatabase(options: {
  superuserUrl: string;
  url: string;
  workerPassword: string;
  log: (line: string) => void;
}): Promise<void> {
  await bootstrap(options.superuserUrl);
  await migrate({ databaseUrl: options.url, log: options.log });
  const sql = postgres(options.superuserUrl, { max: 1, onnotice: () => {} });
  try {
    const [role] = await sql`select from pg_roles where rolname = 'mashup_worker'`;
    if (role === undefined) return;
    const [statement] = await sql<{ text: string }[]>`
      select format('alter role mashup_worker login password %L', ${options.workerPassword}::text) as text`;
    if (statement !== undefined) await sql.unsafe(statement.text);
  } finally {
    await sql.end();
  }
}
