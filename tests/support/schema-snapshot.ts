/** A text of what the migrations leave in a database, read from its catalog: to review a change, and to compare with. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';

/** The committed snapshot. `npm run schema:snapshot` writes it. */
export const SNAPSHOT_FILE = join(import.meta.dirname, '..', 'schema.sql');

const HEADER = `-- A snapshot of the database schema, read from the catalog after all migrations. Do not edit and do not run it.
-- Sources: supabase/schemas/. Update with: npm run schema:snapshot
`;

/**
 * Describes schema `mashup`, the project's objects in `public`, `storage` and `auth`, its role and its reference rows.
 * Objects are sorted by name, so that the text depends on the schema alone.
 * @param sql a connection that may read the catalog and the tables of schema `mashup`
 * @returns the text that `tests/schema.sql` holds
 */
export async function readSchemaSnapshot(sql: postgres.Sql): Promise<string> {
  const query = await readFile(join(import.meta.dirname, 'schema-snapshot.sql'), 'utf8');
  const rows = await sql.unsafe<{ text: string }[]>(query);
  return `${HEADER}\n${rows.map((row) => row.text).join('\n\n')}\n`;
}

/** First version that prints a view as the one does that wrote the snapshot. Earlier ones qualify each column. */
const SAME_VIEWS_SINCE = 160_000;

/** The committed snapshot and that of a database, in a form that can be compared on the version of its server. */
export async function compareSnapshots(sql: postgres.Sql): Promise<{ committed: string; live: string }> {
  const [server] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`;
  const comparable = (text: string): string =>
    (server?.version ?? 0) >= SAME_VIEWS_SINCE
      ? text
      : text
          .split('\n\n')
          .filter((part) => !part.startsWith('create view'))
          .join('\n\n');
  return {
    committed: comparable(await readFile(SNAPSHOT_FILE, 'utf8')),
    live: comparable(await readSchemaSnapshot(sql)),
  };
}
