/** The generated pages of docs/reference/, and the page with a generated part. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { environmentReference } from './environment.ts';
import { functionsReference, servicesReference } from './openapi.ts';
import { sqlReference } from './sql.ts';
import { withStages } from './stages.ts';

const ARCHITECTURE = 'docs/explanation/architecture.md';

/**
 * Every generated page: its path from the root of the repository, and its text.
 * @param sql a connection to a database with all migrations
 */
export async function generatedPages(sql: postgres.Sql): Promise<Record<string, string>> {
  const root = join(import.meta.dirname, '../..');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    'docs/reference/environment.md': environmentReference(),
    'docs/reference/sql.md': await sqlReference(sql),
    'docs/reference/openapi-functions.json': functionsReference(version),
    'docs/reference/openapi-services.json': servicesReference(version),
    [ARCHITECTURE]: await withStages(await readFile(join(root, ARCHITECTURE), 'utf8'), sql),
  };
}
