/** The worker's pool of database connections. The registration and the queue have their own connections. */
import { Kysely, PostgresDialect } from 'kysely';
import type { Database } from '../../schema/database.ts';
import { openPool } from './pool.ts';
import type { SocketWatchdog } from './socket-watchdog.ts';

export type Db = Kysely<Database>;

/** Opens a pool of at most `max` connections, which are opened on demand. */
export function openDatabase(databaseUrl: string, max: number, sockets: SocketWatchdog): Db {
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool: openPool(databaseUrl, { max, name: 'mashup-worker', sockets }) }),
  });
}
