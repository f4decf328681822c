/** The reference of the database, from its comments and from the rows that configure it. */
import type postgres from 'postgres';
import { markdownTable } from './markdown.ts';

interface Relation {
  name: string;
  kind: 'table' | 'view';
  comment: string | null;
  columns: { name: string; type: string; comment: string | null }[];
}

interface DatabaseFunction {
  schema: string;
  name: string;
  arguments: string;
  result: string;
  comment: string | null;
  roles: string[];
}

const ROLES = ['authenticated', 'service_role', 'mashup_worker'];

/**
 * The page `docs/reference/sql.md`.
 * @param sql a connection as role `postgres` to a database with all migrations
 */
export async function sqlReference(sql: postgres.Sql): Promise<string> {
  const relations = await readRelations(sql);
  const functions = await readFunctions(sql);
  const settings =
    await sql`select name, value::text, description, mashup.allowed_values(s) as allowed from mashup.settings s order by name`;
  const transitions = await readRows(sql, 'transitions');
  const kinds = await readRows(sql, 'task_kinds');
  const isCallable = ({ schema, roles }: DatabaseFunction): boolean => schema === 'public' || roles.length > 0;
  const isOperators = ({ schema, comment }: DatabaseFunction): boolean => schema === 'mashup' && comment !== null;
  const parts = [
    '# SQL reference',
    'Generated from the comments of the database by `npm run docs:build`. Schema `mashup` is not exposed by the API.',
    '## Settings',
    'Rows of `mashup.settings`. An `update` applies from the next transaction.',
    markdownTable(
      ['Setting', 'Default', 'Allowed', 'Meaning'],
      settings.map((row) => [code(row.name), code(row.value), row.allowed, row.description]),
    ),
    '## Kinds of tasks',
    'Rows of `mashup.task_kinds`.',
    kinds,
    '## Transitions',
    'Rows of `mashup.transitions`.',
    transitions,
    '## Tables',
    ...relations.filter(({ kind }) => kind === 'table').flatMap(describeRelation),
    '## Views',
    ...relations.filter(({ kind }) => kind === 'view').flatMap(describeRelation),
    '## Functions for users, services and workers',
    'Roles besides `postgres` that may execute a function are named.',
    functionTable(functions.filter(isCallable), true),
    '## Functions for operators, and internal functions',
    'Only role `postgres` may execute them.',
    functionTable(
      functions.filter((one) => isOperators(one) && !isCallable(one)),
      false,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

const code = (text: unknown): string => (text === null || text === '' ? '' : `\`${String(text)}\``);

async function readRows(sql: postgres.Sql, table: 'transitions' | 'task_kinds'): Promise<string> {
  const rows = await sql`select * from mashup.${sql(table)} order by 1, 2, 3`;
  const names = rows.columns.map(({ name }) => name);
  return markdownTable(
    names,
    rows.map((row) => names.map((name) => shown(row[name]))),
  );
}

const shown = (value: unknown): string =>
  value === null ? '' : typeof value === 'object' ? code(JSON.stringify(value)) : code(value);

async function readRelations(sql: postgres.Sql): Promise<Relation[]> {
  return sql<Relation[]>`
    select n.nspname || '.' || c.relname as name, case c.relkind when 'v' then 'view' else 'table' end as kind,
      pg_catalog.obj_description(c.oid, 'pg_class') as comment,
      (select coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
          'comment', pg_catalog.col_description(c.oid, a.attnum)) order by a.attnum), '[]')
        from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'v') and (n.nspname = 'mashup' or n.nspname = 'public' and c.relname like 'mashup%')
    order by n.nspname desc, c.relname`;
}

function describeRelation({ name, comment, columns }: Relation): string[] {
  const hasComments = columns.some((column) => column.comment !== null);
  const head = ['Column', 'Type', ...(hasComments ? ['Meaning'] : [])];
  const rows = columns.map((column) => [
    code(column.name),
    column.type,
    ...(hasComments ? [column.comment ?? ''] : []),
  ]);
  return [`### ${name}`, comment ?? '', markdownTable(head, rows)].filter((text) => text !== '');
}

async function readFunctions(sql: postgres.Sql): Promise<DatabaseFunction[]> {
  return sql<DatabaseFunction[]>`
    select n.nspname as schema, p.proname as name, pg_catalog.pg_get_function_arguments(p.oid) as arguments,
      pg_catalog.pg_get_function_result(p.oid) as result, pg_catalog.obj_description(p.oid, 'pg_proc') as comment,
      array(select role from unnest(${ROLES}::text[]) role where pg_catalog.has_function_privilege(role, p.oid, 'execute')) as roles
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('mashup', 'public') and p.prorettype <> 'trigger'::regtype
      and not exists (select from pg_catalog.pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by n.nspname desc, p.proname, 3`;
}

function functionTable(functions: DatabaseFunction[], withRoles: boolean): string {
  const head = ['Function', 'Returns', ...(withRoles ? ['Roles'] : []), 'Meaning'];
  const rows = functions.map(({ schema, name, arguments: parameters, result, roles, comment }) => [
    code(`${schema}.${name}(${parameters})`),
    result.startsWith('TABLE') ? 'table' : result,
    ...(withRoles ? [roles.join(', ')] : []),
    comment ?? '',
  ]);
  return markdownTable(head, rows);
}
