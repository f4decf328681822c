/** Column types and primary keys of the tables in the stream. */
import type { Sql } from 'postgres';
import type { Relation } from './transactions.ts';
import type { TypeName } from './values.ts';

/** A table as the catalog describes it. */
export interface TableInfo {
  /** Columns in their order. `sql` is the type as it is written in a cast. */
  types: Map<string, TypeName & { sql: string }>;
  primaryKey: string[];
}

interface ColumnRow {
  name: string;
  type: string;
  element: string | null;
  sql: string;
  is_key: boolean;
}

async function readTableInfo(sql: Sql, oid: number): Promise<TableInfo> {
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

/** Caches what is known of each table. The stream describes a table anew when it changes, as a new object. */
export class TableInfoCache {
  readonly #sql: Sql;
  readonly #known = new WeakMap<Relation, Promise<TableInfo>>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Returns the table of a relation; asks the database at the first call for it. */
  get(relation: Relation): Promise<TableInfo> {
    const known = this.#known.get(relation);
    if (known) return known;
    const reading = readTableInfo(this.#sql, relation.relationOid);
    reading.catch(() => this.#known.delete(relation));
    this.#known.set(relation, reading);
    return reading;
  }
}
