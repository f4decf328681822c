/** The worker's pool of database connections. Liveness and the queue have connections of their own. */
import { Kysely, PostgresDialect } from 'kysely';
import type { Database } from '../schema/database.ts';
import { DEFAULT_LIMITS } from './config.ts';
import { openPool } from './pool.ts';

export type Db = Kysely<Database>;

/** Opens a pool; `max` connections at most, opened as needed. */
export function openDatabase(databaseUrl: string, max: number, answerTimeoutMs = DEFAULT_LIMITS.answerTimeoutMs): Db {
  return new Kysely<Database>({
    dialect: new PostgresDialect({ pool: openPool(databaseUrl, { max, name: 'mashup-worker', answerTimeoutMs }) }),
  });
}
