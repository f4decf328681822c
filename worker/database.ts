/** The worker's pool of database connections. Liveness and the queue have connections of their own. */
import { Kysely } from 'kysely';
import { PostgresJSDialect } from 'kysely-postgres-js';
import postgres from 'postgres';
import type { Database } from '../schema/database.ts';

export type Db = Kysely<Database>;

/** A statement of the worker that takes longer has gone wrong. */
const STATEMENT_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_SEC = 5;

/** Opens a pool; `maxConnections` at most, opened as needed. */
export function openDatabase(databaseUrl: string, maxConnections: number): Db {
  const client = postgres(databaseUrl, {
    max: maxConnections,
    connect_timeout: CONNECT_TIMEOUT_SEC,
    idle_timeout: 60,
    onnotice: () => {},
    connection: { application_name: 'mashup-worker', statement_timeout: STATEMENT_TIMEOUT_MS },
  });
  return new Kysely<Database>({ dialect: new PostgresJSDialect({ postgres: client }) });
}
