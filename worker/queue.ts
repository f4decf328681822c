/**
 * Takes queue entries with a Graphile Worker runner, and supervises the runner. A runner that has lost the database once is
 * replaced: it may hold entries that it does not know of, it takes no further entries until its longest task ends, and its own
 * end may never come (graphile-worker 0.18.0 miscounts two completions that fail at the same time, and waits forever).
 */
import { explainMissingQueue, findQueueSchema, unlockPools } from './database/database-api.ts';
import type { QueueSchema } from './database/database-api.ts';
import type { Db } from './database/database.ts';
import { createBackoff } from './backoff.ts';
import { createFailureLog } from './failure-log.ts';
import type { FailureLog } from './failure-log.ts';
import { startRunner } from './queue-runner.ts';
import type { QueueRunner, RunnerOptions } from './queue-runner.ts';
import { createSleeper } from './sleeper.ts';

const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 1_000;
/** A runner that ran for this long did not fail at its start: the restart delay is reset. */
const STEADY_MS = 5_000;
/** How often to check that the queue's schema is still the one that the runner knows. */
const IDENTITY_MS = 1_000;

export interface QueueOptions extends Omit<RunnerOptions, 'schema'> {
  db: Db;
}

export interface Queue {
  /** Whether a runner takes entries now. */
  isRunning(): boolean;
  /** Takes no more entries; resolves when the running entries are handled. */
  stop(): Promise<void>;
}

/** Starts to take queue entries. Waits while the schema of the queue is missing. */
export function openQueue(options: QueueOptions): Queue {
  return new QueueSupervisor(options);
}

class QueueSupervisor implements Queue {
  readonly #options: QueueOptions;
  readonly #sleeper = createSleeper();
  readonly #failures: FailureLog;
  /** Runners that are ending beside their successor. */
  readonly #ending = new Set<Promise<void>>();
  /** Pools that have lost the database and may hold entries that nobody handles. */
  readonly #lostPools = new Set<string>();
  readonly #supervision: Promise<void>;
  #isRunning = false;
  #isStopped = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#failures = createFailureLog(options.log, options.databaseUrl);
    this.#supervision = this.#supervise();
  }

  isRunning(): boolean {
    return this.#isRunning && !this.#isStopped;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#sleeper.wake();
    await this.#supervision;
  }

  async #supervise(): Promise<void> {
    const backoff = createBackoff(RESTART_MIN_MS, RESTART_MAX_MS);
    while (!this.#isStopped) {
      const startedAt = performance.now();
      try {
        await this.#runOnce();
      } catch (error) {
        this.#failures.failed('the queue stopped', error);
      }
      if (this.#isStopped) break;
      if (performance.now() - startedAt > STEADY_MS) backoff.reset();
      await this.#sleeper.sleep(backoff.next());
    }
    await Promise.all(this.#ending);
  }

  async #runOnce(): Promise<void> {
    const schema = await findQueueSchema(this.#options.db);
    if (schema === undefined) {
      const reason = await explainMissingQueue(this.#options.db);
      this.#failures.failed(`no tasks are taken: ${reason}; waiting for it`);
      return;
    }
    await this.#unlockLostPools();
    const runner = await startRunner({ ...this.#options, schema: schema.name });
    this.#failures.recovered('the queue works: tasks are taken');
    this.#isRunning = true;
    try {
      await this.#watch(runner, schema);
    } finally {
      this.#isRunning = false;
      this.#endBesideSuccessor(runner);
    }
  }

  /** Returns when the runner is lost, or when its schema is gone: it would continue with ids of the old schema. */
  async #watch(runner: QueueRunner, schema: QueueSchema): Promise<void> {
    const { db, log } = this.#options;
    while (!this.#isStopped) {
      if ((await Promise.race([runner.lost, this.#sleeper.sleep(IDENTITY_MS)])) === 'lost') {
        if (!this.#isStopped) log('warn', 'the queue lost the database; restarting');
        this.#lostPools.add(runner.poolId);
        return;
      }
      // A query that fails says nothing about the schema.
      const current = await findQueueSchema(db).catch(() => schema);
      if (current?.oid === schema.oid) continue;
      log('warn', 'the schema of the queue was dropped, replaced or created again; restarting');
      return;
    }
  }

  async #unlockLostPools(): Promise<void> {
    const poolIds = [...this.#lostPools];
    if (poolIds.length === 0) return;
    await unlockPools(this.#options.db, poolIds);
    for (const poolId of poolIds) this.#lostPools.delete(poolId);
  }

  /** Ends a runner without waiting: its entries may take long. */
  #endBesideSuccessor(runner: QueueRunner): void {
    const ended = runner.end().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}
