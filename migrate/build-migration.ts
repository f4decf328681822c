/**
 * The one migration, built from supabase/schemas. Until a version is released, changes go into these sources and the
 * migration is built anew.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MIGRATIONS_DIR } from './migrate.ts';
import { stageCallsSql, stageRowsSql } from './stages-sql.ts';

/** Sources of the schema: one subject a file, run in the order of their paths. */
export const SCHEMAS_DIR = join(MIGRATIONS_DIR, '..', 'schemas');

/** Sources that are themselves generated, by path below {@link SCHEMAS_DIR}. */
const GENERATED = new Map([
  ['12_stages.generated.sql', stageRowsSql],
  ['35_stage_calls.generated.sql', stageCallsSql],
]);

const HEADER = `-- Built from supabase/schemas by \`npm run schema:build\`. Do not edit.
`;

/** A generated file and its text. */
export interface BuiltFile {
  path: string;
  text: string;
}

/**
 * Generates the generated sources and, from all sources, the migration.
 * @returns the files to write, with absolute paths; the migration comes last
 */
export async function buildMigration(): Promise<BuiltFile[]> {
  const sources = new Map<string, string>();
  for (const entry of await readdir(SCHEMAS_DIR, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.sql')) continue;
    const path = join(entry.parentPath, entry.name);
    sources.set(path.slice(SCHEMAS_DIR.length + 1).replaceAll('\\', '/'), await readFile(path, 'utf8'));
  }
  const generated = [...GENERATED].map(([name, write]) => ({ name, text: write() }));
  for (const { name, text } of generated) sources.set(name, text);
  const parts = [...sources]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `-- supabase/schemas/${name}\n\n${text.trim()}\n`);
  return [
    ...generated.map(({ name, text }) => ({ path: join(SCHEMAS_DIR, name), text })),
    { path: join(MIGRATIONS_DIR, '20261129000000_init.sql'), text: [HEADER, ...parts].join('\n') },
  ];
}
