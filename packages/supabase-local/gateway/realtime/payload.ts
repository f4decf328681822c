/** The `data` member of a postgres_changes event, as one role may see it. */
import type { TablePrivileges } from './privileges.ts';
import type { TableInfo } from './table-info.ts';
import type { Change, Row } from './transactions.ts';
import { toJson } from './values.ts';

/** A larger message, in bytes, is sent without its long values. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Longest value, as JSON in bytes, that such a message keeps. */
const LONG_VALUE_BYTES = 64;

const TOO_LARGE = 'Error 413: Payload Too Large';
const UNAUTHORIZED = 'Error 401: Unauthorized';
const NO_KEY = 'Error 400: Bad Request, no primary key';

type Json = Record<string, unknown>;

function jsonRow(row: Row, info: TableInfo, readable: ReadonlySet<string>): Json {
  const json: Json = {};
  for (const [name, type] of info.types) {
    const value = row[name];
    if (value !== undefined && readable.has(name)) json[name] = toJson(value, type);
  }
  return json;
}

function withoutLongValues(row: Json): Json {
  return Object.fromEntries(
    Object.entries(row).filter(([, value]) => Buffer.byteLength(JSON.stringify(value)) <= LONG_VALUE_BYTES),
  );
}

/**
 * Returns the old row. With the default replica identity it is the primary key. A role to which RLS applies gets no more
 * than the key of a deleted row.
 */
function oldRow(change: Change, info: TableInfo, privileges: TablePrivileges): Json {
  const whole = change.relation.replicaIdentity === 'full' && !(change.type === 'DELETE' && privileges.restricted);
  const source = { ...(change.type === 'UPDATE' ? change.row : {}), ...change.old };
  if (whole) return jsonRow(change.old ?? {}, info, privileges.readable);
  return jsonRow(source, info, new Set(info.primaryKey.filter((column) => privileges.readable.has(column))));
}

/** Returns the data of the event as JSON text, with the columns that `privileges` makes readable. */
export function changeData(change: Change, committedAt: string, info: TableInfo, privileges: TablePrivileges): string {
  const { type, relation } = change;
  const columns = [...info.types]
    .filter(([name]) => privileges.readable.has(name))
    .map(([name, { name: typeName }]) => ({ name, type: typeName }));
  const event = { schema: relation.schema, table: relation.name, type, commit_timestamp: committedAt };
  if (info.primaryKey.length === 0) return JSON.stringify({ ...event, columns: [], errors: [NO_KEY] });
  if (!info.primaryKey.every((column) => privileges.readable.has(column)))
    return JSON.stringify({ ...event, columns: [], errors: [UNAUTHORIZED] });
  const rows = {
    ...(change.row ? { record: jsonRow(change.row, info, privileges.readable) } : {}),
    ...(type === 'INSERT' ? {} : { old_record: oldRow(change, info, privileges) }),
  };
  const text = JSON.stringify({ ...event, columns, ...rows, errors: null });
  if (Buffer.byteLength(text) <= MAX_MESSAGE_BYTES) return text;
  const short = Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, withoutLongValues(row as Json)]));
  return JSON.stringify({ ...event, columns, ...short, errors: [TOO_LARGE] });
}
