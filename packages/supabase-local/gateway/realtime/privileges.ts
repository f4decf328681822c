/** What a role may do with a table. Grants and RLS change without a word in the stream, so this is asked at each change. */
import type { Sql } from 'postgres';
import type { Role } from '../keys.ts';

/** `restricted`: rows have to be checked one by one. */
export interface TablePrivileges {
  readable: ReadonlySet<string>;
  restricted: boolean;
}

/** A table, by its oid, and a role. */
export interface PrivilegesKey {
  oid: number;
  role: Role;
}

/** Names a question, for maps. */
export const privilegesKey = ({ oid, role }: PrivilegesKey): string => `${oid}:${role}`;

interface PrivilegesRow {
  oid: string;
  role: Role;
  readable: string[];
  restricted: boolean;
}

/** Asks all questions at once; what is not answered may not be read. */
export function readPrivileges(
  sql: Sql,
  questions: readonly PrivilegesKey[],
): PromiseLike<Map<string, TablePrivileges>> {
  return sql<PrivilegesRow[]>`
    select c.oid::text, r.rolname as role,
      array(
        select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and has_column_privilege(r.oid, c.oid, a.attnum, 'select')) as readable,
      c.relrowsecurity and not r.rolbypassrls and not r.rolsuper as restricted
    from unnest(${questions.map(({ oid }) => String(oid))}::oid[], ${questions.map(({ role }) => role)}::text[]) as asked (oid, role)
    join pg_catalog.pg_class c on c.oid = asked.oid
    join pg_catalog.pg_roles r on r.rolname = asked.role
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
