/** The sources of the schema against what is built from them: the migration, the snapshot, the map, the plans by index. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { buildMigration, SCHEMAS_DIR } from '../../migrate/build-migration.ts';
import { STAGE_DEFINITIONS, TASK_KIND_DEFINITIONS } from '../../schema/stages.ts';
import { MIGRATIONS_DIR } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import { compareSnapshots } from '../support/schema-snapshot.ts';

const MAX_FUNCTION_LINES = 60;

describe('the sources of the schema', async () => {
  const db = await useDatabase({ after });

  it('build the committed files: otherwise run npm run schema:build', async () => {
    for (const { path, text } of await buildMigration())
      assert.ok((await readFile(path, 'utf8')) === text, `${basename(path)} differs from its sources`);
  });

  it('are one migration', async () => {
    assert.deepEqual(await readdir(MIGRATIONS_DIR), ['20261129000000_init.sql']);
  });

  it('give the schema of tests/schema.sql: otherwise read the difference after npm run schema:snapshot', async () => {
    const { committed, live } = await compareSnapshots(db.sql);
    const changed = live.split('\n').filter((line) => !committed.includes(line));
    assert.ok(committed === live, `the schema differs from tests/schema.sql, first at: ${changed[0] ?? '(a removal)'}`);
  });

  it('define each object once', async () => {
    const text = (await buildMigration()).at(-1)?.text ?? '';
    const names = [
      ...text.matchAll(/^create (?:or replace )?(?:table|view|function|type|index|unique index) ([\w.]+)/gm),
    ].map((match) => match[1]);
    assert.ok(names.length > 150, `${names.length} objects found`);
    assert.deepEqual(
      names.filter((name, n) => names.indexOf(name) !== n),
      [],
    );
    assert.doesNotMatch(text, /create or replace|^alter function/m);
  });

  it('have every object in the map, and the map no other', async () => {
    const map = await readFile(join(SCHEMAS_DIR, '00_map.sql'), 'utf8');
    const rows = await db.sql<{ name: string }[]>`
      select p.proname as name from pg_proc p
      where p.pronamespace in ('mashup'::regnamespace, 'public'::regnamespace)
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      union select c.relname from pg_class c
      where c.relkind in ('r', 'v') and (c.relnamespace = 'mashup'::regnamespace
        or (c.relnamespace = 'public'::regnamespace and c.relname like 'mashup\_%'))`;
    const names = rows.map((row) => row.name);
    const [layers = ''] = map.split('-- Lock order');
    const words = [...layers.matchAll(/[a-z]+(?:_[a-z]*)*\*?/g)].map(([word]) => word);
    // The functions of a stage stand in schema/stages.ts, which the map names for them.
    const ofStages = new Set([
      ...STAGE_DEFINITIONS.map(({ makes }) => makes?.check),
      ...TASK_KIND_DEFINITIONS.map(({ record }) => record),
    ]);
    const isNamed = (name: string): boolean =>
      ofStages.has(name) ||
      words.some((word) => word === name || (word.endsWith('_*') && name.startsWith(word.slice(0, -1))));
    assert.deepEqual(names.filter((name) => !isNamed(name)).sort(), [], 'missing in the map');
    const gone = words.filter(
      (word) =>
        word.includes('_') &&
        word !== 'mashup_worker' &&
        !names.some((name) => name === word || (word.endsWith('_*') && name.startsWith(word.slice(0, -1)))),
    );
    assert.deepEqual(gone, [], 'named in the map, but not there');
  });

  it('describe every table, view and function', async () => {
    const bare = await db.sql`
      select p.oid::regprocedure::text as name from pg_proc p
      where p.pronamespace in ('mashup'::regnamespace, 'public'::regnamespace) and obj_description(p.oid, 'pg_proc') is null
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      union select c.oid::regclass::text from pg_class c
      where c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null
        and (c.relnamespace = 'mashup'::regnamespace or (c.relnamespace = 'public'::regnamespace and c.relname like 'mashup\_%'))`;
    assert.deepEqual(
      bare.map((row) => row.name),
      [],
    );
  });

  it(`keep functions under ${MAX_FUNCTION_LINES} lines and name stages instead of their positions`, async () => {
    const functions = await db.sql<{ name: string; lines: number; body: string }[]>`
      select p.proname as name, array_length(string_to_array(p.prosrc, e'\n'), 1) as lines, p.prosrc as body from pg_proc p
      where p.pronamespace in ('mashup'::regnamespace, 'public'::regnamespace)
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;
    assert.deepEqual(
      functions.filter((one) => one.lines > MAX_FUNCTION_LINES).map((one) => one.name),
      [],
    );
    assert.deepEqual(
      functions.filter((one) => /position\s*[<>=]+\s*\d/.test(one.body)).map((one) => one.name),
      [],
    );
  });

  it('write each predicate of a job once', async () => {
    const entries = await readdir(SCHEMAS_DIR, { recursive: true });
    const files = entries.filter((name) => name.endsWith('.sql'));
    const texts = await Promise.all(files.map((name) => readFile(join(SCHEMAS_DIR, name), 'utf8')));
    const count = (pattern: RegExp): number => [...texts.join('\n').matchAll(pattern)].length;
    // The constraint status_follows_stage; the view and its two indexes; the view and its index.
    assert.equal(count(/in \('complete', 'failed', 'cancelled'\)/g), 1, 'live');
    assert.equal(count(/admitted_at is null and \(hold is null or stage <> 'planning'\)/g), 3, 'waits for a slot');
    assert.equal(count(/hold = 'planning' and stage = 'planning'/g), 2, 'draft');
  });
});

describe('views of jobs', async () => {
  const db = await useDatabase({ after });

  const indexesOf = async (query: string): Promise<string[]> => {
    const plan = await db.sql.begin(async (tx) => {
      await tx`set local enable_seqscan = off`;
      await tx`set local enable_bitmapscan = off`;
      return tx.unsafe<{ 'QUERY PLAN': string }[]>(`explain ${query}`);
    });
    return plan.flatMap((row) => /using (\w+)/.exec(row['QUERY PLAN'])?.[1] ?? []);
  };

  it('are read by the partial indexes with their condition', async () => {
    const queries: [string, string][] = [
      [
        'select from mashup.waiting_jobs order by queued_at, id limit 1 for no key update skip locked',
        'mashup_jobs_waiting',
      ],
      [
        `select from mashup.waiting_jobs where user_id = '00000000-0000-0000-0000-000000000000' order by queued_at, id limit 1`,
        'mashup_jobs_waiting_of_user',
      ],
      [
        `select from mashup.draft_jobs where stage_entered_at < now() order by stage_entered_at limit 1`,
        'mashup_jobs_drafts',
      ],
      ['select count(*) from public.mashup_jobs where admitted_at is not null', 'mashup_jobs_admitted'],
    ];
    for (const [query, index] of queries) assert.deepEqual(await indexesOf(query), [index], query);
  });
});
