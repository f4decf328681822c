/** Pools of database connections that find out by themselves that nobody answers any more. */
import { Socket } from 'node:net';
import pg from 'pg';

/** Share of the limit for an answer after which the server cancels a statement by itself. */
const STATEMENT_SHARE = 0.8;
const CHECKS_PER_LIMIT = 20;
/** Limit for a new connection, and for waiting for a free one. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface PoolOptions {
  /** Connections at most; opened as needed. */
  max: number;
  /** What the connections are called in pg_stat_activity. */
  name: string;
  /**
   * A connection that has sent something and heard nothing for this long is half-open (a NAT that forgot it, a pooler that
   * hangs): the server would have cancelled the statement by then. TCP itself notices after a quarter of an hour or never.
   */
  answerTimeoutMs: number;
}

/** Opens a pool. A connection that is lost is replaced when one is wanted. */
export function openPool(databaseUrl: string, { max, name, answerTimeoutMs }: PoolOptions): pg.Pool {
  const sockets = new Set<WatchedSocket>();
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    statement_timeout: Math.round(answerTimeoutMs * STATEMENT_SHARE),
    keepAlive: true,
    stream: () => watchSocket(sockets, answerTimeoutMs),
  });
  // An idle connection that is lost is out of the pool already; whoever uses one hears of it.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

interface WatchedSocket {
  socket: Socket;
  /** When something last came in, by the monotonic clock. */
  heardAt: number;
}

/**
 * A socket that ends with an error when what it sent is not answered. Counts bytes, so it works below TLS too. It takes along
 * the others of its pool that have heard nothing since: what cut one has cut them, and each would cost its user the limit again.
 */
function watchSocket(pool: Set<WatchedSocket>, limitMs: number): Socket {
  const socket = new Socket();
  const watched: WatchedSocket = { socket, heardAt: performance.now() };
  pool.add(watched);
  let sent = 0;
  let heard = 0;
  let silentSince: number | undefined;
  const timer = setInterval(() => {
    const now = performance.now();
    if (socket.bytesRead !== heard) {
      watched.heardAt = now;
      silentSince = undefined;
    } else if (socket.bytesWritten !== sent) silentSince ??= now;
    sent = socket.bytesWritten;
    heard = socket.bytesRead;
    if (silentSince === undefined || now - silentSince <= limitMs) return;
    for (const other of [...pool]) if (other === watched || other.heardAt < silentSince) lose(other.socket);
  }, limitMs / CHECKS_PER_LIMIT);
  timer.unref();
  socket.once('close', () => {
    clearInterval(timer);
    pool.delete(watched);
  });
  return socket;
}

function lose(socket: Socket): void {
  socket.destroy(new Error('the database has not answered for too long; the connection counts as lost'));
}
