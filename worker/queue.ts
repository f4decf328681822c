/** Graphile Worker in library mode, supervised: its runner ends when Postgres goes, and is started again. */
import { EventEmitter } from 'node:events';
import { Logger, run } from 'graphile-worker';
import type { Runner, WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import { TASK_KINDS } from '../schema/database.ts';
import type { Db } from './database.ts';
import type { Log } from './log.ts';
import { openPool } from './pool.ts';
import { errorText } from './redact.ts';
import { queueIdentity } from './state.ts';

const RESTART_MIN_MS = 200;
const RESTART_MAX_MS = 1_000;
/** Wake-ups come by NOTIFY; this is for those that were missed. */
const POLL_MS = 1_000;
/** How often it is looked whether the queue is still the one that the runner knows. */
const IDENTITY_MS = 1_000;
/** Connections beside those that the wake-ups need: LISTEN, and fetching the next. */
const EXTRA_CONNECTIONS = 2;

export interface QueueOptions {
  databaseUrl: string;
  db: Db;
  concurrency: number;
  /** A connection that has not answered for this long counts as lost. */
  answerTimeoutMs: number;
  log: Log;
  /** Handles one wake-up; must not throw. */
  onWakeup: (payload: unknown) => Promise<void>;
  /** A pool has been made: its id is what its locks in the queue are held under. */
  onPool: (poolId: string) => void;
}

export interface Queue {
  /** Takes no more wake-ups; resolves when those that run have ended. */
  stop(): Promise<void>;
}

/** Starts taking wake-ups. Waits where Graphile Worker's schema is not there yet. */
export function openQueue(options: QueueOptions): Queue {
  const { log } = options;
  let isStopped = false;
  let runner: Runner | undefined;
  let wake: (() => void) | undefined;
  const leaving = new Set<Promise<void>>();
  let said = '';

  function leave(left: Runner): void {
    const gone = stopRunner(left).finally(() => leaving.delete(gone));
    leaving.add(gone);
  }

  function say(message: string): void {
    if (message !== said) log('warn', message);
    said = message;
  }

  /** Runs a runner until it fails, or until the schema that it knows is gone: it would go on with ids of the old one. */
  async function runOn(identity: string): Promise<void> {
    const { runner: started, failed } = await startRunner(options);
    runner = started;
    while (!isStopped) {
      if ((await Promise.race([failed, pause(IDENTITY_MS)])) === 'failed') {
        // Its end waits for whatever hangs in it: it ends beside its successor.
        leave(started);
        return;
      }
      // A question that fails says nothing about the schema; a runner that lost Postgres ends by itself.
      const now = await queueIdentity(options.db).catch(() => identity);
      if (now === identity) continue;
      log('warn', "Graphile Worker's schema was dropped or made again: starting anew");
      // What it is doing may take long: it ends beside its successor.
      leave(started);
      return;
    }
    await stopRunner(started);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function supervise(): Promise<void> {
    let wait = RESTART_MIN_MS;
    while (!isStopped) {
      try {
        const identity = await queueIdentity(options.db);
        if (identity === undefined) {
          say("Graphile Worker's schema is not there or not for this role: run `mashup migrate`; waiting for it");
        } else {
          wait = RESTART_MIN_MS;
          said = '';
          await runOn(identity);
        }
      } catch (error) {
        say(`the queue stopped: ${errorText(error)}`);
        if (runner) leave(runner);
      }
      runner = undefined;
      if (isStopped) break;
      await pause(wait);
      wait = Math.min(wait * 2, RESTART_MAX_MS);
    }
    await Promise.all(leaving);
  }

  const supervised = supervise();
  return {
    async stop() {
      isStopped = true;
      if (runner) leave(runner);
      wake?.();
      await supervised;
    },
  };
}

/** Stopping a runner that ends by itself at this moment is refused; its end is what was wanted. */
async function stopRunner(runner: Runner): Promise<void> {
  await runner.stop().catch(() => {});
  await runner.promise.catch(() => {});
}

/**
 * Starts a runner. `failed` resolves as soon as it is at its end: one of its workers is gone, or it shuts down. Its own promise
 * resolves only when all of its workers are done, and one that waits for a half-open connection may never be.
 */
async function startRunner(options: QueueOptions): Promise<{ runner: Runner; failed: Promise<'failed'> }> {
  const { answerTimeoutMs, concurrency, databaseUrl, log, onPool, onWakeup } = options;
  const events: WorkerEvents = new EventEmitter();
  events.on('pool:create', ({ workerPool }) => onPool(workerPool.id));
  const shutsDown = new Promise<void>((resolve) => {
    events.once('pool:gracefulShutdown', () => resolve());
    events.once('pool:fatalError', () => resolve());
    events.once('worker:fatalError', () => resolve());
  });
  const taskList = Object.fromEntries(
    TASK_KINDS.map((kind) => [kind, (payload: unknown) => onWakeup(payload)] as const),
  );
  const pool = openPool(databaseUrl, {
    max: concurrency + EXTRA_CONNECTIONS,
    name: 'mashup-worker-queue',
    answerTimeoutMs,
  });
  const runner = await run({
    pgPool: pool,
    concurrency,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList,
    logger: quietLogger(log),
    events,
    // A completion is awaited only without batching: otherwise a stop can leave a finished wake-up locked for hours.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  }).catch((error: unknown) => {
    endPool(pool);
    throw error;
  });
  // Whoever awaits it later also sees its error; until then nobody else may.
  const ended = runner.promise.catch(() => {});
  void ended.then(() => endPool(pool));
  return { runner, failed: Promise.race([shutsDown, ended]).then(() => 'failed' as const) };
}

/** Not waited for: a connection that nobody answers on ends by its own watch. */
function endPool(pool: Pool): void {
  void pool.end().catch(() => {});
}

/** Graphile Worker's own log, warnings and errors only. */
function quietLogger(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log('error', `Graphile Worker: ${message}`);
    else if (level === 'warning') log('warn', `Graphile Worker: ${message}`);
  });
}
