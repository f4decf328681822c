/** The `data` member of a postgres_changes event, as one role may see it. */
import type { TableFacts } from './relations.ts';
import type { Change, Row } from './replication.ts';
import type { TablePrivileges } from './privileges.ts';
import { toJson } from './values.ts';

/** Over this size in bytes a record loses its long values. */
const MAX_RECORD = 1024 * 1024;
/** What counts as long then, in bytes. */
const LONG_VALUE = 64;

const TOO_LARGE = 'Error 413: Payload Too Large';
const UNAUTHORIZED = 'Error 401: Unauthorized';
const NO_KEY = 'Error 400: Bad Request, no primary key';

type Json = Record<string, unknown>;

function jsonRow(row: Row, facts: TableFacts, readable: ReadonlySet<string>): Json {
  const shown: Json = {};
  for (const [name, type] of facts.types) {
    const value = row[name];
    if (value !== undefined && readable.has(name)) shown[name] = toJson(value, type);
  }
  return shown;
}

function withoutLong(row: Json): Json {
  return Object.fromEntries(
    Object.entries(row).filter(([, value]) => Buffer.byteLength(JSON.stringify(value)) <= LONG_VALUE),
  );
}

/** With the default replica identity the old row is its key; a restricted role never sees more of a deleted row. */
function oldRow(change: Change, facts: TableFacts, rights: TablePrivileges): Json {
  const whole = change.relation.replicaIdentity === 'full' && !(change.type === 'DELETE' && rights.restricted);
  const source = { ...(change.type === 'UPDATE' ? change.row : {}), ...change.old };
  if (whole) return jsonRow(change.old ?? {}, facts, rights.readable);
  return jsonRow(source, facts, new Set(facts.primaryKey.filter((column) => rights.readable.has(column))));
}

/** The event's data as JSON text. */
export function changeData(change: Change, committedAt: string, facts: TableFacts, rights: TablePrivileges): string {
  const { type, relation } = change;
  const columns = [...facts.types]
    .filter(([name]) => rights.readable.has(name))
    .map(([name, { name: typeName }]) => ({ name, type: typeName }));
  const event = { schema: relation.schema, table: relation.name, type, commit_timestamp: committedAt };
  if (facts.primaryKey.length === 0) return JSON.stringify({ ...event, columns: [], errors: [NO_KEY] });
  if (!facts.primaryKey.every((column) => rights.readable.has(column)))
    return JSON.stringify({ ...event, columns: [], errors: [UNAUTHORIZED] });
  const rows = {
    ...(change.row ? { record: jsonRow(change.row, facts, rights.readable) } : {}),
    ...(type === 'INSERT' ? {} : { old_record: oldRow(change, facts, rights) }),
  };
  const text = JSON.stringify({ ...event, columns, ...rows, errors: null });
  if (Buffer.byteLength(text) <= MAX_RECORD) return text;
  const short = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, withoutLong(row as Json)]));
  return JSON.stringify({ ...event, columns, ...short, errors: [TOO_LARGE] });
}
