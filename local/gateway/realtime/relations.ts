/** What the fan-out has to know of a table: its types and key, whether RLS is on, and what a role may read. */
import type { Sql } from 'postgres';
import type { Role } from '../keys.ts';
import type { Relation } from './replication.ts';
import type { TypeName } from './values.ts';

/** Grants and policies can change without a word in the stream: this long, in milliseconds, is an answer believed. */
const RIGHTS_MS = 1_000;

/** Facts of one table that a message of the stream announces anew when they change. */
export interface TableFacts {
  types: Map<string, TypeName & { sql: string }>;
  primaryKey: string[];
}

/** What a role may do with a table. `restricted`: its rows have to be checked one by one. */
export interface Rights {
  readable: ReadonlySet<string>;
  restricted: boolean;
}

interface Relations {
  facts(relation: Relation): Promise<TableFacts>;
  rights(oid: number, role: Role): Promise<Rights>;
}

interface ColumnRow {
  name: string;
  type: string;
  element: string | null;
  sql: string;
  is_key: boolean;
}

interface RightsRow {
  readable: string[];
  restricted: boolean;
}

async function readFacts(sql: Sql, oid: number): Promise<TableFacts> {
  const rows = await sql<ColumnRow[]>`
    select a.attname as name, t.typname as type, format_type(a.atttypid, null) as sql,
      case when t.typcategory = 'A' then e.typname end as element,
      coalesce(a.attnum = any(i.indkey), false) as is_key
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_type e on e.oid = t.typelem
    left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
    where a.attrelid = ${oid} and a.attnum > 0 and not a.attisdropped
    order by a.attnum`;
  const types = rows.map(
    ({ name, type, element, sql: typeSql }) =>
      [name, { name: type, element: element ?? undefined, sql: typeSql }] as const,
  );
  return { types: new Map(types), primaryKey: rows.filter((row) => row.is_key).map((row) => row.name) };
}

async function readRights(sql: Sql, oid: number, role: Role): Promise<Rights> {
  const [row] = await sql<RightsRow[]>`
    select
      coalesce(array_agg(a.attname::text) filter (where has_column_privilege(${role}, c.oid, a.attnum, 'select')), '{}') as readable,
      c.relrowsecurity and not r.rolbypassrls and not r.rolsuper as restricted
    from pg_catalog.pg_class c
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    cross join pg_catalog.pg_roles r
    where c.oid = ${oid} and r.rolname = ${role} and has_schema_privilege(${role}, c.relnamespace, 'usage')
    group by c.oid, c.relrowsecurity, r.rolbypassrls, r.rolsuper`;
  return { readable: new Set(row?.readable ?? []), restricted: row?.restricted ?? true };
}

/** Opens the lookups; each is asked once and remembered. */
export function openRelations(sql: Sql): Relations {
  const known = new WeakMap<Relation, Promise<TableFacts>>();
  const rights = new Map<string, { until: number; answer: Promise<Rights> }>();
  return {
    facts(relation) {
      let answer = known.get(relation);
      if (!answer) {
        answer = readFacts(sql, relation.relationOid);
        answer.catch(() => known.delete(relation));
        known.set(relation, answer);
      }
      return answer;
    },
    rights(oid, role) {
      const key = `${oid}:${role}`;
      const remembered = rights.get(key);
      if (remembered && remembered.until > Date.now()) return remembered.answer;
      const answer = readRights(sql, oid, role);
      answer.catch(() => rights.delete(key));
      rights.set(key, { until: Date.now() + RIGHTS_MS, answer });
      return answer;
    },
  };
}
