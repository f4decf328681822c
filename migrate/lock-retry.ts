/** Attempts of a migration that wait for a lock only briefly: statements of users queue behind a waiting `alter table`. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { postgresOptions } from '../connection/clients.ts';
import { MigrateError } from './migrate-error.ts';

/** Limits of the attempts, in milliseconds. */
export interface LockLimits {
  /** Longest wait for one lock. Every transition that needs the same lock waits behind it. */
  lockTimeoutMs: number;
  firstDelayMs: number;
  maxDelayMs: number;
  /** No attempt begins later than this after the first one. */
  totalMs: number;
}

export const LOCK_LIMITS: LockLimits = {
  lockTimeoutMs: 2_000,
  firstDelayMs: 500,
  maxDelayMs: 15_000,
  totalMs: 120_000,
};

const WATCH_MS = 300;
/** SQLSTATEs of an attempt that may succeed later: lock_not_available, deadlock_detected. */
const LOCK_SQLSTATES: ReadonlySet<string> = new Set(['55P03', '40P01']);

interface Blocker {
  pid: number;
  name: string;
  state: string;
  query_sec: number;
  query: string;
}

export interface LockRetryOptions {
  databaseUrl: string;
  /** What is being applied, as progress lines name it. */
  what: string;
  log: (line: string) => void;
  limits?: Partial<LockLimits>;
}

/**
 * Runs `work` in a transaction with a `lock_timeout`, again and again with growing delays until it gets its locks. Each failed
 * attempt logs which sessions hold them.
 * @returns the result of `work`
 * @throws MigrateError `migration_blocked` when the time is up; other errors of `work`
 */
export async function retryLocked<T>(
  sql: postgres.Sql,
  { databaseUrl, what, log, limits: given }: LockRetryOptions,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const limits = { ...LOCK_LIMITS, ...given };
  const startedAt = performance.now();
  const watch = watchBlockers(databaseUrl);
  let delay = limits.firstDelayMs;
  try {
    for (;;) {
      try {
        return (await sql.begin(async (tx) => {
          const [session] = await tx<{ pid: number }[]>`
            select pg_backend_pid() as pid, set_config('lock_timeout', ${String(limits.lockTimeoutMs)}, true)`;
          watch.setWaiter(session?.pid);
          return work(tx);
        })) as T;
      } catch (error) {
        if (!LOCK_SQLSTATES.has(String((error as { code?: unknown }).code))) throw error;
        const blockers = watch.describe();
        if (performance.now() - startedAt + delay > limits.totalMs) throw blocked(what, blockers, error);
        log(`${what} waits for a lock held by ${blockers}; trying again in ${(delay / 1000).toFixed(1)} s`);
      }
      await sleep(delay);
      delay = Math.min(delay * 2, limits.maxDelayMs);
    }
  } finally {
    await watch.stop();
  }
}

function blocked(what: string, blockers: string, cause: unknown): MigrateError {
  return new MigrateError(
    'migration_blocked',
    `${what} did not get its locks: held by ${blockers}`,
    'Nothing of this file was kept. End that session (its own program, or select pg_terminate_backend(pid);), then run the migration again.',
    cause,
  );
}

/** Asks on a connection of its own which sessions block a waiting one. */
function watchBlockers(databaseUrl: string): {
  setWaiter: (pid: number | undefined) => void;
  describe: () => string;
  stop: () => Promise<void>;
} {
  const sql = postgres(
    postgresOptions(databaseUrl, { max: 1, onnotice: () => {}, prepare: false, connect_timeout: 5 }),
  );
  let waiter: number | undefined;
  let blockers: Blocker[] = [];
  let isAsking = false;
  const timer = setInterval(() => {
    if (waiter === undefined || isAsking) return;
    isAsking = true;
    sql<Blocker[]>`
      select pid, coalesce(nullif(application_name, ''), usename, 'unknown') as name, coalesce(state, backend_type) as state,
        coalesce(extract(epoch from clock_timestamp() - query_start)::int, 0) as query_sec, left(coalesce(query, ''), 80) as query
      from pg_stat_activity where pid = any (pg_blocking_pids(${waiter}))`
      .then((rows) => {
        if (rows.length > 0) blockers = [...rows];
      })
      // Without an answer the lines name no session.
      .catch(() => {})
      .finally(() => (isAsking = false));
  }, WATCH_MS);
  return {
    setWaiter: (pid) => {
      waiter = pid;
      blockers = [];
    },
    describe: () =>
      blockers
        .map(
          ({ pid, name, state, query_sec, query }) =>
            `process ${pid} (${name}, ${state}, its query began ${query_sec} s ago: ${query})`,
        )
        .join(', ') || 'another session',
    stop: () => {
      clearInterval(timer);
      return sql.end({ timeout: 1 });
    },
  };
}
