/** The worker's pool of database connections. Liveness and the queue have connections of their own. */
import { Kysely, PostgresDialect } from 'kysely';
import type { Database } from '../../schema/database.ts';
import { openPool } from './pool.ts';
import type { SocketWatch } from './socket-watchdog.ts';

export type Db = Kysely<Database>;

/** Opens a pool; `max` connections at most, opened as needed. */
export function openDatabase(databaseUrl: string, max: number, sockets: SocketWatch): Db {
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool: openPool(databaseUrl, { max, name: 'mashup-worker', sockets }) }),
  });
}
