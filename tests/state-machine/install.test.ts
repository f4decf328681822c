/** The installation: what stays open when it stops half-way, and the forms of the publication that it meets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import postgres from 'postgres';
import { buildMigration } from '../../migrate/build-migration.ts';
import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import { compareSnapshots } from '../support/schema-snapshot.ts';

/** Splits SQL at the semicolons outside quotes, dollar quotes and comments. */
function splitStatements(text: string): string[] {
  const token = /--[^\n]*|'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$|;/g;
  const statements: string[] = [];
  let from = 0;
  for (const match of text.matchAll(token)) {
    if (match[0] !== ';') continue;
    statements.push(text.slice(from, match.index + 1));
    from = match.index + 1;
  }
  return statements.filter((one) => one.replace(/--[^\n]*/g, '').trim() !== '');
}

/**
 * What anon and authenticated may do with objects of the engine: tables without row level security, writes, and functions
 * that do not check their caller.
 */
const OPEN = `
  with tables as (
    select c.oid, c.oid::regclass::text as name, c.relrowsecurity, n.oid as schema
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v', 'S') and (n.nspname = 'mashup' or (n.nspname = 'public' and c.relname like 'mashup\\_%'))
  ), functions as (
    select p.oid, p.oid::regprocedure::text as name, n.nspname, n.oid as schema
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'mashup' or (n.nspname = 'public' and (p.proname like '%mashup%' or p.proname like 'operator\\_%' or p.proname in ('begin_upload', 'export_account')))
  )
  select role || ' ' || privilege || ' ' || name as open
  from tables, unnest(array['anon', 'authenticated']) role, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) privilege
  where has_schema_privilege(role, schema, 'usage')
    and has_table_privilege(role, tables.oid, privilege) and not (role = 'authenticated' and privilege = 'select' and relrowsecurity)
  union all
  select role || ' executes ' || name from functions, unnest(array['anon', 'authenticated']) role
  where has_schema_privilege(role, schema, 'usage') and has_function_privilege(role, functions.oid, 'execute')
    -- Functions for users and operators check their caller (tests/security/operators.test.ts).
    and not (nspname = 'public' and (name not like '%operator%' or role = 'authenticated'))
    and name not in ('mashup.now()', 'mashup.has_upload_quota()')`;

/** A call of each public function, with null for every argument. */
const CALLS = `
  select format('select public.%I(%s)', p.proname, (select string_agg('null::' || t::regtype, ', ') from unnest(p.proargtypes) t)) as call
  from pg_proc p where p.pronamespace = 'public'::regnamespace and (p.proname like '%mashup%' or p.proname like 'operator\\_%' or p.proname in ('begin_upload', 'export_account'))
    and has_function_privilege('anon', p.oid, 'execute')`;

describe('an installation that stops', () => {
  it('after any statement leaves nothing open to anon and authenticated', async (t) => {
    const db = await useDatabase(t, { empty: true });
    const text = (await buildMigration()).at(-1)?.text ?? '';
    const statements = splitStatements(text);
    assert.ok(statements.length > 400, `${statements.length} statements`);
    const one = postgres(db.url, { max: 1, onnotice: () => {}, prepare: false });
    t.after(() => one.end());
    const calls = new Set<string>();
    for (const statement of statements) {
      await one.unsafe(statement);
      const open = await one.unsafe<{ open: string }[]>(OPEN);
      assert.deepEqual(
        [...open].map((row) => row.open),
        [],
        `after: ${statement.trim().slice(0, 300)}`,
      );
      for (const { call } of await one.unsafe<{ call: string }[]>(CALLS)) {
        calls.add(call);
        await assert.rejects(
          one.begin(async (tx) => {
            await tx.unsafe('set local role anon');
            await tx.unsafe(call);
          }),
          (error) => ['MB002', 'MB010', '42501'].includes((error as postgres.PostgresError).code),
          call,
        );
      }
    }
    assert.ok(calls.size > 5 && ![...calls].some((call) => call.includes('operator_')), [...calls].join('\n'));
    const { committed, live } = await compareSnapshots(db.sql);
    assert.ok(live === committed, 'the result is the same');
  });
});

describe('the installation with a publication supabase_realtime', () => {
  const isPublished = async (sql: postgres.Sql): Promise<boolean> =>
    (
      await sql`select from pg_publication_tables
        where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'mashup_jobs'`
    ).length === 1;

  const EARLIER =
    'create table public.mashup_jobs (id text primary key, status text, error_message text, result_url text)';
  /** What the project has, and its statement that creates the publication. */
  const FORMS: [string, string, string][] = [
    ['that is absent', '', ''],
    ['without tables', '', 'create publication supabase_realtime'],
    [
      'of another table',
      'create table public.t (id int primary key)',
      'create publication supabase_realtime for table public.t',
    ],
    ['for all tables', '', 'create publication supabase_realtime for all tables'],
    ['for all tables of public', '', 'create publication supabase_realtime for tables in schema public'],
    [
      'for the table of the earlier product',
      EARLIER,
      'create publication supabase_realtime for table public.mashup_jobs',
    ],
    ['for all tables, with the earlier product', EARLIER, 'create publication supabase_realtime for all tables'],
    [
      'for public, with the earlier product',
      EARLIER,
      'create publication supabase_realtime for tables in schema public',
    ],
  ];
  for (const [what, project, publication] of FORMS) {
    it(`${what} publishes jobs, whose rows can be changed`, async (t) => {
      const db = await useDatabase(t, { empty: true });
      await db.sql.unsafe(project);
      const superuser = postgres(db.superuserUrl, { max: 1, onnotice: () => {} });
      t.after(() => superuser.end());
      // A publication for all tables or for a schema can be created and owned only by a superuser.
      const isWide = /all tables|in schema/.test(publication);
      await superuser.unsafe(`drop publication if exists supabase_realtime; ${publication}`);
      if (publication !== '' && !isWide) await superuser`alter publication supabase_realtime owner to postgres`;
      const lines: string[] = [];
      await migrate({ databaseUrl: db.url, log: (line) => lines.push(line) });
      assert.equal(await isPublished(db.sql), true);
      assert.deepEqual(
        lines.filter((line) => line.includes('publication')),
        [],
      );
      // A published table without a primary key could not be updated.
      await db.sql`insert into mashup.pauses (scope, reason, actor) values ('system', 'test', 'test')`;
      await db.sql`update mashup.pauses set reason = 'changed'`;
      await db.sql`update mashup.settings set value = value where name = 'lease_sec'`;
    });
  }

  it('of another role says which statement that role has to run', async (t) => {
    const db = await useDatabase(t, { empty: true });
    const superuser = postgres(db.superuserUrl, { max: 1, onnotice: () => {} });
    t.after(() => superuser.end());
    await superuser.unsafe('drop publication if exists supabase_realtime; create publication supabase_realtime');
    const [{ name } = { name: '' }] = await superuser<{ name: string }[]>`select current_user::text as name`;
    const lines: string[] = [];
    await migrate({ databaseUrl: db.url, log: (line) => lines.push(line) });
    const line = lines.find((one) => one.includes('publication')) ?? '';
    assert.ok(line.includes(`As ${name}: alter publication supabase_realtime add table public.mashup_jobs;`), line);
    await superuser.unsafe(/As \w+: (.*;)/.exec(line)?.[1] ?? '');
    assert.equal(await isPublished(db.sql), true);
  });
});
