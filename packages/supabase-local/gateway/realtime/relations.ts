/** What the fan-out has to know of a table: its types and its key, which the stream announces anew when they change. */
import type { Sql } from 'postgres';
import type { Relation } from './replication.ts';
import type { TypeName } from './values.ts';

export interface TableFacts {
  types: Map<string, TypeName & { sql: string }>;
  primaryKey: string[];
}

interface Relations {
  facts(relation: Relation): Promise<TableFacts>;
}

interface ColumnRow {
  name: string;
  type: string;
  element: string | null;
  sql: string;
  is_key: boolean;
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

/** Opens the lookups; each is asked once and remembered. */
export function openRelations(sql: Sql): Relations {
  const known = new WeakMap<Relation, Promise<TableFacts>>();
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
  };
}
