/**
 * What a role may read of a table. The stream does not report changes of grants and RLS, so privileges are queried for each
 * transaction.
 */
import type { Sql } from 'postgres';
import type { Role } from '../keys.ts';

/** Privileges of one role on one table. */
export interface TablePrivileges {
  /** Columns that may be selected. */
  readable: ReadonlySet<string>;
  /** Whether RLS applies, so that each row has to be checked. */
  restricted: boolean;
}

/** A table, by its oid, and a role. */
export interface PrivilegesKey {
  oid: number;
  role: Role;
}

/** Returns the key as a text, for maps. */
export const privilegesKey = ({ oid, role }: PrivilegesKey): string => `${oid}:${role}`;

interface PrivilegesRow {
  oid: string;
  role: Role;
  readable: string[];
  restricted: boolean;
}

/** Reads the privileges of all keys in one query. A key without a result has no privileges. */
export function readPrivileges(sql: Sql, keys: readonly PrivilegesKey[]): PromiseLike<Map<string, TablePrivileges>> {
  return sql<PrivilegesRow[]>`
    select c.oid::text, r.rolname as role,
      array(
        select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and has_column_privilege(r.oid, c.oid, a.attnum, 'select')) as readable,
      c.relrowsecurity and not r.rolbypassrls and not r.rolsuper as restricted
    from unnest(${keys.map(({ oid }) => String(oid))}::oid[], ${keys.map(({ role }) => role)}::text[]) as given (oid, role)
    join pg_catalog.pg_class c on c.oid = given.oid
    join pg_catalog.pg_roles r on r.rolname = given.role
    where has_schema_privilege(r.oid, c.relnamespace, 'usage')`.then(
    (rows) =>
      new Map(
        rows.map(({ oid, role, readable, restricted }) => [
          privilegesKey({ oid: Number(oid), role }),
          { readable: new Set(readable), restricted },
        ]),
      ),
  );
}
