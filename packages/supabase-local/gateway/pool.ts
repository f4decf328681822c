/**
 * The gateway's pools of database connections, which outlive a restart of Postgres.
 *
 * By its code postgres.js 3.4.9 does not, for three reasons. What is written on a connection that was just lost (the rollback of
 * the transaction that was cut off, for one) goes to a socket that is null, from a timer, where no caller can catch the error. A
 * write that was pending at that moment is neither sent nor forgotten, so that the connection never says hello to the server
 * again. And the question for the array types that each new connection begins with is nobody's, nor is its failure. Hence the
 * rules here: a transaction whose connection is lost says nothing more, a pool that has lost a connection is replaced by a fresh
 * one, and the types are asked once, at the start.
 */
import postgres from 'postgres';
import type { Sql, TransactionSql } from 'postgres';

/** A connection that does not come up is given up after this. */
const CONNECT_TIMEOUT_SEC = 5;
/** What still runs on a pool that is being replaced may take so long. */
const FAREWELL_SEC = 10;

const CONNECTION = {
  onnotice: () => {},
  connect_timeout: CONNECT_TIMEOUT_SEC,
  // None ends by itself: one that ends was lost, or its pool is ended.
  max_lifetime: null,
  connection: { application_name: 'supabase-local' },
};

const LOST_CODES = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED']);

/** Whether an error says that the connection itself is gone. */
export function isConnectionLost(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return LOST_CODES.has(code) || /^E(CONN|PIPE|HOSTUNREACH)/.test(code);
}

/** A subscription to a channel of NOTIFY. */
export interface Listener {
  close(): Promise<void>;
}

/**
 * Calls back for each notification of a channel, and when notifications may have been missed: at the start and each time the
 * connection, which postgres.js opens again by itself, was lost. Resolves when it listens.
 */
export async function openListener(url: string, channel: string, heard: () => void): Promise<Listener> {
  const sql = postgres(url, { ...CONNECTION, max: 1 });
  await sql.listen(channel, heard, heard);
  return { close: () => sql.end({ timeout: 0 }) };
}

type Work = (transaction: TransactionSql) => unknown;

/**
 * Runs the work so that it never fails for want of a connection: it stays undecided then, and `begin`, which races it against
 * the connection's end, fails by that. If the work failed, `begin` would write its rollback to where nobody is.
 */
function rejectOnLossOnly(work: Work): Work {
  return async (transaction) => {
    try {
      return await work(transaction);
    } catch (error) {
      if (isConnectionLost(error)) return new Promise(() => {});
      throw error;
    }
  };
}

/** Settings with all that the library has to know of the database's types. */
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
 * Opens a pool, which is used like one of postgres.js. What runs when a connection is lost fails; what is asked afterwards finds
 * a fresh pool. Work in a transaction asks that transaction and waits for nothing else.
 * @throws whatever says that the database cannot be reached now
 */
export async function openPool(url: string, max: number): Promise<Sql> {
  const options = await readOptions(url);
  let current = connect();
  let isEnded = false;

  function connect(): Sql {
    const own = { max, fetch_types: false, onclose: () => replace(pool) };
    // Options that were read before are taken as they are.
    const pool: Sql = postgres({ ...options, ...own } as unknown as postgres.Options<Record<string, never>>);
    return pool;
  }

  function replace(lost: Sql): void {
    if (isEnded || lost !== current) return;
    current = connect();
    void lost.end({ timeout: FAREWELL_SEC });
  }

  function begin(...given: [Work] | [string, Work]): Promise<unknown> {
    const [options, work] = given.length === 1 ? ['', given[0]] : given;
    return current.begin(options, rejectOnLossOnly(work));
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
