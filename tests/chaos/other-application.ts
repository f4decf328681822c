/**
 * Another application on Graphile Worker in the database of the engine: a queue of its own, with task names and job keys like
 * those of the engine. Its jobs show whether the engine takes or changes work of others.
 */
import { Logger, run } from 'graphile-worker';
import type { Runner } from 'graphile-worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.ts';
import type { RetryingClient } from './retrying-client.ts';

const logger = new Logger(() => () => {});
const RESTART_MS = 500;
/** Limit for the rest of its jobs at the end. */
const REST_LIMIT_MS = 60_000;

export class OtherApplication {
  readonly #url: string;
  readonly #client: RetryingClient;
  /** Payloads of jobs that ran, as text, by their number. */
  readonly #rendered = new Map<number, string>();
  #added = 0;
  #runner: Runner | undefined;
  #isStopping = false;
  #supervising: Promise<void> | undefined;

  constructor(url: string, client: RetryingClient) {
    this.#url = url;
    this.#client = client;
  }

  /** Starts its runner, which is replaced whenever it ends. Resolves when it has run its first job. */
  async start(): Promise<void> {
    this.#supervising = this.#supervise();
    await until('the other application installs its queue', () => this.#runner !== undefined);
    await this.add();
    await until('the other application runs its first job', () => this.#rendered.size === 1);
  }

  /** Adds a job whose key and payload look like those of a task of the engine. */
  async add(): Promise<void> {
    const n = ++this.#added;
    await this.#client.query(
      (sql) =>
        sql`select graphile_worker.add_job('render', ${sql.json({ task: n, attempt: 1 })}::json, job_key => ${`mashup:${n}:1`})`,
    );
  }

  /** Stops it after the rest of its jobs. Returns its jobs that did not run, or ran with another payload. */
  async finish(): Promise<string[]> {
    // A runner that lost the database leaves its locks, for four hours.
    await until(
      'the other application has run all its jobs',
      async () => {
        await this.#unlockLost();
        return this.#rendered.size >= this.#added;
      },
      REST_LIMIT_MS,
    ).catch(() => {});
    this.#isStopping = true;
    await this.#runner?.stop().catch(() => {});
    await this.#supervising;
    return Array.from({ length: this.#added }, (_, i) => i + 1).flatMap((n) => {
      const payload = this.#rendered.get(n);
      if (payload === JSON.stringify({ task: n, attempt: 1 })) return [];
      return [`job ${n} of the other application ${payload === undefined ? 'did not run' : `ran with ${payload}`}`];
    });
  }

  async #supervise(): Promise<void> {
    while (!this.#isStopping) {
      try {
        this.#runner = await this.#run();
        await this.#runner.promise;
      } catch {
        // The database was restarted. The next runner continues.
      }
      await sleep(RESTART_MS);
    }
  }

  #run(): Promise<Runner> {
    return run({
      connectionString: this.#url,
      logger,
      noHandleSignals: true,
      pollInterval: 500,
      maxPoolSize: 2,
      // Without batches, a completion whose connection is lost is a rejection that nothing handles: it ends the process.
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
      taskList: {
        render: (payload) => {
          this.#rendered.set((payload as { task: number }).task, JSON.stringify(payload));
        },
      },
    });
  }

  /** Unlocks jobs that were locked for seconds: each takes milliseconds. A job that runs twice does no harm. */
  async #unlockLost(): Promise<void> {
    await this.#client.query(
      (sql) => sql`
        select graphile_worker.force_unlock_workers(array_agg(distinct locked_by)) from graphile_worker._private_jobs
        where locked_at < now() - interval '5 seconds' having count(*) > 0`,
    );
  }
}
