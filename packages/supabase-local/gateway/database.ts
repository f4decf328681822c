/** Transactions under a caller's role, and the kinds of database errors. */
import postgres from 'postgres';
import type { Sql, TransactionSql } from 'postgres';
import type { Identity } from './identity.ts';
import { isConnectionLost } from './pool.ts';

/** Settings of a transaction, e.g. `request.method`. */
type Settings = Record<string, string>;

/** Returns the settings that make a transaction run as the caller. The role comes first. */
export function settingsOf(identity: Identity): Settings {
  return { role: identity.role, 'request.jwt.claims': JSON.stringify(identity.claims) };
}

/** Runs `work` in one transaction with the caller's role, claims and statement timeout, as PostgREST does. */
export async function withIdentity<T>(
  sql: Sql,
  identity: Identity,
  work: (transaction: TransactionSql) => Promise<T>,
  options: { settings?: Settings; readOnly?: boolean } = {},
): Promise<T> {
  const settings = { ...settingsOf(identity), ...options.settings };
  const result = await sql.begin(options.readOnly ? 'read only' : '', async (transaction) => {
    await transaction`
      select set_config(name, value, true)
      from unnest(${Object.keys(settings)}::text[], ${Object.values(settings)}::text[]) as setting (name, value)
      union all
      select set_config(split_part(setting, '=', 1), split_part(setting, '=', 2), true)
      from pg_catalog.pg_roles, unnest(rolconfig) as setting
      where rolname = ${identity.role} and setting like 'statement_timeout=%'`;
    return { value: await work(transaction) };
  });
  return result.value;
}

/** The fields of an error of Postgres. */
export interface DatabaseError {
  code: string;
  message: string;
  detail?: string;
  hint?: string;
}

/** Returns the error if Postgres raised it, else undefined. */
export function databaseError(error: unknown): DatabaseError | undefined {
  return error instanceof postgres.PostgresError ? error : undefined;
}

const NOT_CONNECTED = new Set(['CONNECTION_ENDED', 'CONNECT_TIMEOUT', 'ENOENT']);
const STARTING_OR_STOPPING = new Set(['57P01', '57P02', '57P03']);

/** Tests whether the database could not be reached or the connection was lost. A later attempt may succeed. */
export function isUnreachable(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return isConnectionLost(error) || NOT_CONNECTED.has(code) || STARTING_OR_STOPPING.has(code);
}
