/** One Graphile Worker runner in library mode. */
import { EventEmitter } from 'node:events';
import { Logger, run } from 'graphile-worker';
import type { Runner, WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import { TASK_KINDS } from '../schema/database.ts';
import { openPool } from './database/pool.ts';
import type { SocketWatchdog } from './database/socket-watchdog.ts';
import type { Log } from './log.ts';

/** Queue entries arrive by NOTIFY; polling finds those whose notification was missed. */
const POLL_MS = 1_000;
/** Connections besides those that the entries need: LISTEN, and fetching the next entry. */
const EXTRA_CONNECTIONS = 2;
/** Limit for the end of a runner after its last entry. */
const END_TIMEOUT_MS = 1_000;

export interface RunnerOptions {
  databaseUrl: string;
  /** Schema of the queue. */
  schema: string;
  concurrency: number;
  sockets: SocketWatchdog;
  log: Log;
  /**
   * Handles one queue entry. Throws for an entry that is not the engine's, which Graphile Worker then keeps. `isCurrent`: whether
   * the runner still takes entries; a lost or stopping one has a successor, or none.
   */
  onEntry: (payload: unknown, isCurrent: () => boolean) => Promise<void>;
  /** Called with the id of a new pool: its locks in the queue are held under this id. */
  onPool: (poolId: string) => void;
}

export interface QueueRunner {
  poolId: string;
  /** Resolves when the runner has lost the database or has ended: it must not take entries any more. */
  lost: Promise<'lost'>;
  /** Stops the runner. Resolves when its entries are handled and it has ended, or END_TIMEOUT_MS later. */
  end(): Promise<void>;
}

/** Starts a runner. @throws the error of Graphile Worker when it cannot start */
export async function startRunner(options: RunnerOptions): Promise<QueueRunner> {
  const { concurrency, databaseUrl, log, onPool, onEntry, schema, sockets } = options;
  let isCurrent = true;
  const handler = countRunning((payload) => onEntry(payload, () => isCurrent));
  const events: WorkerEvents = new EventEmitter();
  let poolId = '';
  events.on('pool:create', ({ workerPool }) => {
    poolId = workerPool.id;
    onPool(poolId);
  });
  const lost = new Promise<'lost'>((resolve) => {
    for (const event of ['worker:getJob:error', 'pool:fatalError', 'pool:gracefulShutdown'] as const)
      events.on(event, () => resolve('lost'));
  });
  const pool = openPool(databaseUrl, { max: concurrency + EXTRA_CONNECTIONS, name: 'mashup-worker-queue', sockets });
  const runner = await run({
    pgPool: pool,
    schema,
    concurrency,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList: Object.fromEntries(TASK_KINDS.map((kind) => [`mashup:${kind}`, handler.handle] as const)),
    logger: quietLogger(log),
    events,
    // A completion is awaited only without batching; otherwise a stop can leave a completed entry locked for hours.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  }).catch((error: unknown) => {
    void pool.end().catch(() => {});
    throw error;
  });
  const ended = runner.promise.then(
    () => 'lost' as const,
    () => 'lost' as const,
  );
  const isLost = Promise.race([lost, ended]);
  void isLost.then(() => (isCurrent = false));
  const end = (): Promise<void> => {
    isCurrent = false;
    return endRunner(runner, pool, handler.idle);
  };
  return { poolId, lost: isLost, end };
}

/** Wraps a handler to count its running calls. `idle` resolves when none is running. */
function countRunning(handler: (payload: unknown) => Promise<void>): {
  handle: (payload: unknown) => Promise<void>;
  idle: () => Promise<void>;
} {
  let running = 0;
  const waiting = new Set<() => void>();
  return {
    async handle(payload) {
      running += 1;
      try {
        await handler(payload);
      } finally {
        running -= 1;
        if (running === 0) for (const resolve of waiting) resolve();
      }
    },
    idle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}

/** Waits for the running entries, then for the runner's own end, but not without limit: it may never come. */
async function endRunner(runner: Runner, pool: Pool, idle: () => Promise<void>): Promise<void> {
  // `stop` rejects on a runner that is ending already, which is fine.
  void runner.stop().catch(() => {});
  const ended = runner.promise.catch(() => {});
  await idle();
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, END_TIMEOUT_MS)))]);
  clearTimeout(timer);
  // Not awaited: the watchdog ends half-open connections.
  void pool.end().catch(() => {});
}

/** Graphile Worker's log: warnings and errors only. */
function quietLogger(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log('error', `Graphile Worker: ${message}`);
    else if (level === 'warning') log('warn', `Graphile Worker: ${message}`);
  });
}
