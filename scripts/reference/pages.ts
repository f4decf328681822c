/** The generated pages of docs/reference/, and the page with a generated part. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { environmentReference } from './environment.ts';
import { libraryReference } from './library-api.ts';
import { functionsReference, servicesReference } from './openapi.ts';
import { sqlReference } from './sql.ts';
import { withStages } from './stages.ts';

const CLIENT =
  'A frontend calls these functions with its own Supabase client. Members are camelCase in TypeScript and snake_case on the wire: see ' +
  '[names of members](../how-to/integrate.md#names-of-members).';
const REACT =
  'Hooks and components need a `StudioProvider` above them, and the style sheet `@mashup-engine/react/styles.css`. Plans, analyses, ' +
  'scores and quality reports are documents: they keep the members that the services give them.';

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
    ...(await libraryPages()),
    [ARCHITECTURE]: await withStages(await readFile(join(root, ARCHITECTURE), 'utf8'), sql),
  };
}

/** The references of the published libraries; they need no database. */
async function libraryPages(): Promise<Record<string, string>> {
  return {
    'docs/reference/client-api.md': await libraryReference('@mashup-engine/client', 'packages/client/index.ts', CLIENT),
    'docs/reference/react-api.md': await libraryReference('@mashup-engine/react', 'packages/react/index.ts', REACT),
  };
}
