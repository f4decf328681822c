/**
 * Pools of database connections that survive a restart of Postgres.
 *
 * A pool of postgres.js 3.4.9 does not, for three reasons that its source shows:
 * - A write on a connection that was just lost (such as the rollback of the interrupted transaction) goes to a socket that is
 *   null, from a timer, where no caller can catch the error.
 * - A write that was pending at that moment is neither sent nor discarded, so the connection never starts up again.
 * - The query for array types, with which each new connection begins, belongs to no caller, so its failure is unhandled.
 *
 * Hence three rules: nothing is written in a transaction whose connection is lost, a pool that has lost a connection is
 * replaced by a new one, and the array types are read once, at the start.
 */
import postgres from 'postgres';
import type { Sql, TransactionSql } from 'postgres';

/** Timeout of a connection attempt, in seconds. */
const CONNECT_TIMEOUT_SEC = 5;
/** How long queries on a pool that is being replaced may still run, in seconds. */
const DRAIN_TIMEOUT_SEC = 10;

const CONNECTION = {
  onnotice: () => {},
  connect_timeout: CONNECT_TIMEOUT_SEC,
  // Connections never expire, so one that closes was lost, unless its pool was ended.
  max_lifetime: null,
  connection: { application_name: 'supabase-local' },
};

const LOST_CODES = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED']);

/** Tests whether an error means that the connection itself was lost. */
export function isConnectionLost(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return LOST_CODES.has(code) || /^E(CONN|PIPE|HOSTUNREACH)/.test(code);
}

/** A subscription to a NOTIFY channel. */
export interface Listener {
  close(): Promise<void>;
}

/**
 * Calls `onNotify` for each notification of a channel, and whenever notifications may have been missed: at the start, and
 * after each lost connection, which postgres.js opens again by itself. Resolves when it listens.
 */
export async function openListener(url: string, channel: string, onNotify: () => void): Promise<Listener> {
  const sql = postgres(url, { ...CONNECTION, max: 1 });
  await sql.listen(channel, onNotify, onNotify);
  return { close: () => sql.end({ timeout: 0 }) };
}

type Work = (transaction: TransactionSql) => unknown;

/**
 * Wraps the work of a transaction so that it never settles if the connection is lost. `begin` races the work against the
 * end of the connection and rejects by that. If the work rejected, `begin` would write its rollback to the lost connection.
 */
function pendingIfLost(work: Work): Work {
  return async (transaction) => {
    try {
      return await work(transaction);
    } catch (error) {
      if (isConnectionLost(error)) return new Promise(() => {});
      throw error;
    }
  };
}

/** Returns options that include the array types of the database. */
async function readOptions(url: string): Promise<Sql['options']> {
  const sql = postgres(url, { ...CONNECTION, max: 1 });
  try {
    await sql`select 1`;
    return sql.options;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/**
 * Opens a pool with the interface of postgres.js. Queries that run when a connection is lost fail. Later queries use a new
 * pool. The work of a transaction must only wait for queries of that transaction.
 * @throws the connection error if the database cannot be reached
 */
export async function openPool(url: string, max: number): Promise<Sql> {
  const options = await readOptions(url);
  let current = connect();
  let isEnded = false;

  function connect(): Sql {
    const own = { max, fetch_types: false, onclose: () => replace(pool) };
    // Options that were parsed before are accepted as they are.
    const pool: Sql = postgres({ ...options, ...own } as unknown as postgres.Options<Record<string, never>>);
    return pool;
  }

  function replace(lost: Sql): void {
    if (isEnded || lost !== current) return;
    current = connect();
    void lost.end({ timeout: DRAIN_TIMEOUT_SEC });
  }

  function begin(...given: [Work] | [string, Work]): Promise<unknown> {
    const [options, work] = given.length === 1 ? ['', given[0]] : given;
    return current.begin(options, pendingIfLost(work));
  }

  function end(options?: { timeout?: number }): Promise<void> {
    isEnded = true;
    return current.end(options);
  }

  const own = new Map<PropertyKey, unknown>([
    ['begin', begin],
    ['end', end],
  ]);
  return new Proxy(current, {
    apply: (_first, _this, given: Parameters<Sql>) => Reflect.apply(current, undefined, given) as unknown,
    get: (_first, name) => own.get(name) ?? (Reflect.get(current, name) as unknown),
  });
}
