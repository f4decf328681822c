import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import ts from 'typescript';
import * as schema from '../../schema.ts';
import { useDatabase } from '../support/postgres.ts';

const file = join(import.meta.dirname, '..', '..', 'schema', 'database.ts');
const program = ts.createProgram([file], {
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2024,
  types: [],
});
const checker = program.getTypeChecker();

interface Column {
  nullable: boolean;
  values: string[] | null;
}

/** Reads from a column's type whether it may be null, and its values if it is a union of strings. */
function readColumn(type: ts.Type): Column {
  const select = type.getProperty('__select__');
  const read = select ? checker.getTypeOfSymbol(select) : type;
  const parts = read.isUnion() ? read.types : [read];
  const nullable = parts.some((part) => (part.flags & ts.TypeFlags.Null) !== 0);
  const rest = parts.filter((part) => (part.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined)) === 0);
  const values = rest.every((part) => part.isStringLiteral())
    ? rest.map((part) => (part as ts.StringLiteralType).value).sort()
    : null;
  return { nullable, values };
}

function declaredTables(): Map<string, Map<string, Column>> {
  const source = program.getSourceFile(file);
  assert.ok(source);
  const tables = new Map<string, Map<string, Column>>();
  source.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== 'Database') return;
    for (const table of checker.getTypeAtLocation(node).getProperties()) {
      const columns = checker.getTypeOfSymbol(table).getProperties();
      const name = table.name.includes('.') ? table.name : `public.${table.name}`;
      tables.set(name, new Map(columns.map((column) => [column.name, readColumn(checker.getTypeOfSymbol(column))])));
    }
  });
  return tables;
}

describe('schema.ts', async () => {
  const db = await useDatabase({ after });
  const declared = declaredTables();
  const live = await db.sql<{ table: string; column: string; nullable: boolean }[]>`
    select table_schema || '.' || table_name as table, column_name as column, is_nullable = 'YES' as nullable
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_type = 'BASE TABLE' and (table_schema = 'mashup' or (table_schema = 'public' and table_name like 'mashup%'))`;

  it('has every table and column of the database, and no other', () => {
    const names = (pairs: Iterable<string>) => [...pairs].sort();
    assert.deepEqual(
      names([...declared].flatMap(([table, columns]) => [...columns.keys()].map((column) => `${table}.${column}`))),
      names(live.map((row) => `${row.table}.${row.column}`)),
    );
  });

  it('agrees on which columns may be null', () => {
    for (const row of live) {
      assert.equal(declared.get(row.table)?.get(row.column)?.nullable, row.nullable, `${row.table}.${row.column}`);
    }
  });

  it('agrees on the values of columns that are checked against a list', async () => {
    const checks = await db.sql<{ table: string; column: string; definition: string }[]>`
      select n.nspname || '.' || r.relname as table, a.attname as column, pg_get_constraintdef(c.oid) as definition
      from pg_constraint c join pg_class r on r.oid = c.conrelid join pg_namespace n on n.oid = r.relnamespace
      join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
      where c.contype = 'c' and cardinality(c.conkey) = 1 and pg_get_constraintdef(c.oid) ~ '= ANY|= ''[a-z_]+''::text' and pg_get_constraintdef(c.oid) !~ 'jsonb_typeof'
        and (n.nspname = 'mashup' or r.relname like 'mashup%')`;
    assert.ok(checks.length >= 9, `${checks.length} checks found`);
    for (const check of checks) {
      const values = [...check.definition.matchAll(/'([a-z_.]+)'::text/g)].map((match) => match[1]).sort();
      assert.deepEqual(declared.get(check.table)?.get(check.column)?.values, values, `${check.table}.${check.column}`);
    }
  });

  it('agrees on stages, kinds of tasks and services', async () => {
    const stages = await db.sql`select stage from mashup.stages order by position`;
    assert.deepEqual(
      stages.map((row) => row.stage),
      [...schema.STAGES],
    );
    const replays =
      await db.sql`select to_stage from mashup.transitions t join mashup.stages s on s.stage = to_stage where name = 'replay' group by to_stage, position order by position`;
    assert.deepEqual(
      replays.map((row) => row.to_stage),
      [...schema.REPLAY_STAGES],
    );
    const kinds = await db.sql`select kind from mashup.task_kinds order by kind`;
    assert.deepEqual(
      kinds.map((row) => row.kind),
      [...schema.TASK_KINDS].sort(),
    );
    const circuits = await db.sql`select service from mashup.service_health order by service`;
    assert.deepEqual(
      circuits.map((row) => row.service),
      [...schema.CIRCUITS].sort(),
    );
    const services = await db.sql`select distinct service from mashup.task_kinds order by service`;
    assert.deepEqual(
      services.map((row) => row.service),
      [...schema.SERVICES].sort(),
    );
  });

  it('names every error that the schema raises', async () => {
    const [row] = await db.sql<{ codes: string[] }[]>`
      select array_agg(distinct m[1] order by m[1]) as codes from pg_proc p, regexp_matches(p.prosrc, 'raise_error[(]''(MB[0-9]{3})''', 'g') m
      where p.pronamespace in ('mashup'::regnamespace, 'public'::regnamespace)`;
    assert.deepEqual(row?.codes, Object.keys(schema.MASHUP_SQLSTATES).sort());
  });
});
