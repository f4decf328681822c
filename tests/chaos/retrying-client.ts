/** A database client of the stress test that survives restarts of Postgres. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';

/** Longest time without a database: a restart takes long on a busy machine. */
const OUTAGE_LIMIT_MS = 120_000;
const RETRY_MS = 100;

export class RetryingClient {
  readonly #url: string;
  #sql: postgres.Sql;

  constructor(superuserUrl: string) {
    this.#url = superuserUrl;
    this.#sql = this.#connect();
  }

  /** Runs work with the client. It is repeated after connection losses and deadlocks, so it must be idempotent. */
  async query<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    const end = performance.now() + OUTAGE_LIMIT_MS;
    for (;;) {
      const current = this.#sql;
      try {
        return await work(current);
      } catch (error) {
        if (!isRetryable(error) || performance.now() > end) throw error;
        await sleep(RETRY_MS);
        // A postgres.js client that lost its connection during the login may keep sending invalid data. It is replaced, once
        // for all queries that failed with it.
        if (this.#sql !== current) continue;
        this.#sql = this.#connect();
        void current.end({ timeout: 5 }).catch(() => {});
      }
    }
  }

  /** Opens a client with one connection of its own; the caller ends it. */
  openConnection(): postgres.Sql {
    return postgres(this.#url, { max: 1, onnotice: () => {} });
  }

  async end(): Promise<void> {
    await this.#sql.end({ timeout: 1 }).catch(() => {});
  }

  #connect(): postgres.Sql {
    return postgres(this.#url, { max: 8, onnotice: () => {}, connect_timeout: 2 });
  }
}

/** Whether an error is a connection loss or a deadlock. */
function isRetryable(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code);
  return /^(57P|08|CONNECT|ECONN|EPIPE)/.test(code) || code === '40P01';
}
