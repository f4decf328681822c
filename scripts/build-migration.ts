/** Writes the migration and the generated sources of the schema. Run it after a change to supabase/schemas or schema/stages.ts. */
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { buildMigration } from '../migrate/build-migration.ts';

for (const { path, text } of await buildMigration()) {
  await writeFile(path, text);
  console.log(`wrote ${relative(process.cwd(), path)}`);
}
