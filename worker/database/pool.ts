/** Pools of database connections that find out by themselves that nobody answers any more. */
import pg from 'pg';
import type { SocketWatch } from './socket-watchdog.ts';

/** Share of the limit for an answer after which the server cancels a statement by itself. */
const STATEMENT_SHARE = 0.8;
/** Limit for a new connection, and for waiting for a free one. */
const CONNECT_TIMEOUT_MS = 10_000;
/** From then on the system asks an idle connection's other end whether it is there. */
export const KEEP_ALIVE_MS = 10_000;

export interface PoolOptions {
  /** Connections at most; opened as needed. */
  max: number;
  /** What the connections are called in pg_stat_activity. */
  name: string;
  /** Ends connections that are not answered; its limit is that of a statement as well. */
  sockets: SocketWatch;
}

/** Opens a pool. A connection that is lost is replaced when one is wanted. */
export function openPool(databaseUrl: string, { max, name, sockets }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    statement_timeout: Math.round(sockets.limitMs * STATEMENT_SHARE),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    stream: () => sockets.open(),
  });
  // An idle connection that is lost is out of the pool already; whoever uses one hears of it.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
