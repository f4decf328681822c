/** Pools of database connections that detect half-open connections. */
import pg from 'pg';
import { pgOptions } from '../../connection/clients.ts';
import type { SocketWatchdog } from './socket-watchdog.ts';

/** Share of the watchdog's limit after which the server cancels a statement. */
const STATEMENT_SHARE = 0.8;
/** Limit for opening a connection, and for waiting for a free one. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Idle time after which the operating system sends TCP keep-alive probes. */
export const KEEP_ALIVE_MS = 10_000;

export interface PoolOptions {
  /** Maximum number of connections; they are opened on demand. */
  max: number;
  /** Name of the connections in pg_stat_activity. */
  name: string;
  /** Closes half-open connections. Its limit also limits statements. */
  sockets: SocketWatchdog;
}

/**
 * Opens a pool. A lost connection is replaced on demand.
 * @throws ConnectionError for a connection string that cannot be used
 */
export function openPool(databaseUrl: string, { max, name, sockets }: PoolOptions): pg.Pool {
  const statementTimeoutMs = Math.round(sockets.limitMs * STATEMENT_SHARE);
  const pool = new pg.Pool({
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...pgOptions(databaseUrl, () => sockets.createSocket()),
    max,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    // Not as a start parameter: PgBouncer refuses connections with parameters that it does not know.
    onConnect: async (client) => {
      await client.query(`set statement_timeout = ${statementTimeoutMs}`);
    },
  });
  // The pool has removed a lost idle connection already; users of a connection get the error from their query.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
