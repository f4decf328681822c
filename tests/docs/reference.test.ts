/** The generated pages are up to date, and the written ones name only what the database and the processes have. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ENVIRONMENT_GROUPS } from '../../scripts/reference/environment.ts';
import { generatedPages } from '../../scripts/reference/pages.ts';
import { useDatabase } from '../support/postgres.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Variables of the operating system and of tools. */
const FOREIGN = new Set(['PATH', 'HOME', 'NODE_ENV', 'NODE_TEST_CONTEXT', 'CI']);

describe('reference pages', async () => {
  const { sql } = await useDatabase({ after });
  const generated = await generatedPages(sql);

  for (const [path, text] of Object.entries(generated)) {
    it(`${path} is what npm run docs:build writes`, async () => {
      assert.equal(await readFile(join(ROOT, path), 'utf8'), text, 'Run npm run docs:build.');
    });
  }

  it('every function, table and view that a page names exists in the database', async () => {
    const rows = await sql<{ name: string }[]>`
      select proname as name from pg_proc where pronamespace = 'mashup'::regnamespace
      union select relname from pg_class where relnamespace = 'mashup'::regnamespace`;
    const known = new Set(rows.map(({ name }) => name));
    const missing: string[] = [];
    for await (const name of glob(['*.md', 'docs/**/*.md'], { cwd: ROOT })) {
      if (name.includes('CHANGELOG') || name.endsWith('sql.md')) continue;
      const page = await readFile(join(ROOT, name), 'utf8');
      // What the page itself tells the reader to create is not there yet.
      const made = new Set([...page.matchAll(/create function mashup\.(\w+)/g)].map((match) => match[1]));
      for (const [, object = ''] of page.matchAll(/\bmashup\.([a-z_]+)\b(?!\.)/g)) {
        if (!known.has(object) && !made.has(object) && !/^(wav|flac|mp3|ts|md)$/.test(object))
          missing.push(`${name}: mashup.${object}`);
      }
    }
    assert.deepEqual(missing, []);
  });

  it('every environment variable that the code reads is described', async () => {
    const described = new Set(ENVIRONMENT_GROUPS.flatMap(({ schema }) => Object.keys(schema.shape)));
    const missing = new Set<string>();
    for await (const name of glob(
      '{audio,bench,cli,examples,local,migrate,music,packages,scripts,services,studio,supabase,tests,worker}/**/*.{ts,tsx,mjs}',
      {
        cwd: ROOT,
        exclude: (path) => /(^|[\\/])(node_modules|dist.*)$/.test(path),
      },
    )) {
      const source = await readFile(join(ROOT, name), 'utf8');
      for (const [, variable = ''] of source.matchAll(/process\.env(?:\.|\[')([A-Z][A-Z0-9_]+)/g)) {
        if (!described.has(variable) && !FOREIGN.has(variable)) missing.add(`${variable} (${name})`);
      }
    }
    assert.deepEqual([...missing], []);
  });
});
