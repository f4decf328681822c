/**
 * Graphile Worker in library mode, supervised. A runner that has lost the database once is replaced by another: it may have
 * taken wake-ups that it never heard of, it takes no more until its longest task ends, and its own end may never come
 * (0.18.0 counts two completions that failed at one time as one too few, and waits for it for ever).
 */
import { EventEmitter } from 'node:events';
import { Logger, run } from 'graphile-worker';
import type { Runner, WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';
import { TASK_KINDS } from '../schema/database.ts';
import type { Db } from './database/database.ts';
import type { Log } from './log.ts';
import { openPool } from './database/pool.ts';
import { errorText } from './redact.ts';
import type { SocketWatch } from './database/socket-watchdog.ts';
import { queueIdentity, unlockPools } from './database/database-api.ts';

const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 1_000;
/** A runner that ran for this long did not end for a reason that lies in the start. */
const STEADY_MS = 5_000;
/** Wake-ups come by NOTIFY; this is for those that were missed. */
const POLL_MS = 1_000;
/** How often it is looked whether the queue is still the one that the runner knows. */
const IDENTITY_MS = 1_000;
/** Connections beside those that the wake-ups need: LISTEN, and fetching the next. */
const EXTRA_CONNECTIONS = 2;
/** What a runner may take to end once its last wake-up is done. */
const FAREWELL_MS = 1_000;

export interface QueueOptions {
  databaseUrl: string;
  db: Db;
  concurrency: number;
  sockets: SocketWatch;
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

interface RunningQueue {
  runner: Runner;
  pool: Pool;
  poolId: string;
  /** Resolves when it has lost the database, or ends by itself: from then on it may take nothing. */
  lost: Promise<'lost'>;
  /** Resolves when no wake-up is being handled. */
  idle(): Promise<void>;
}

/** Starts taking wake-ups. Waits where Graphile Worker's schema is not there yet. */
export function openQueue(options: QueueOptions): Queue {
  const { db, log } = options;
  let isStopped = false;
  let wake: (() => void) | undefined;
  const leaving = new Set<Promise<void>>();
  /** Pools that were left, and may hold wake-ups that nobody handles. */
  const left = new Set<string>();
  let said = '';

  /** What the runner is doing may take long: it ends beside its successor. */
  function leave(running: RunningQueue): void {
    const gone = endRunner(running).finally(() => leaving.delete(gone));
    leaving.add(gone);
  }

  function say(message: string): void {
    if (message !== said) log('warn', message);
    said = message;
  }

  /** Runs a runner until it is lost, or until the schema that it knows is gone: it would go on with ids of the old one. */
  async function runOn(identity: string): Promise<void> {
    const running = await startRunner(options);
    try {
      while (!isStopped) {
        if ((await Promise.race([running.lost, pause(IDENTITY_MS)])) === 'lost') {
          if (!isStopped) log('warn', 'the queue lost the database: starting anew');
          left.add(running.poolId);
          return;
        }
        // A question that fails says nothing about the schema.
        const now = await queueIdentity(db).catch(() => identity);
        if (now === identity) continue;
        log('warn', "Graphile Worker's schema was dropped or made again: starting anew");
        return;
      }
    } finally {
      leave(running);
    }
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

  async function giveBack(): Promise<void> {
    const poolIds = [...left];
    if (poolIds.length === 0) return;
    await unlockPools(db, poolIds);
    for (const poolId of poolIds) left.delete(poolId);
  }

  async function supervise(): Promise<void> {
    let wait = RESTART_MIN_MS;
    while (!isStopped) {
      const startedAt = performance.now();
      try {
        const identity = await queueIdentity(db);
        if (identity === undefined) {
          say("Graphile Worker's schema is not there or not for this role: run `mashup migrate`; waiting for it");
        } else {
          await giveBack();
          said = '';
          await runOn(identity);
        }
      } catch (error) {
        say(`the queue stopped: ${errorText(error)}`);
      }
      if (isStopped) break;
      wait = performance.now() - startedAt > STEADY_MS ? RESTART_MIN_MS : Math.min(wait * 2, RESTART_MAX_MS);
      await pause(wait);
    }
    await Promise.all(leaving);
  }

  const supervised = supervise();
  return {
    async stop() {
      isStopped = true;
      wake?.();
      await supervised;
    },
  };
}

/** Ends a runner when what it handles has ended. Its own word for it is not waited for without limit. */
async function endRunner({ runner, pool, idle }: RunningQueue): Promise<void> {
  // Stopping a runner that ends by itself at this moment is refused; its end is what was wanted.
  void runner.stop().catch(() => {});
  const ended = runner.promise.catch(() => {});
  await idle();
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)))]);
  clearTimeout(timer);
  // Not waited for: a connection that nobody answers on ends by its own watch.
  void pool.end().catch(() => {});
}

async function startRunner(options: QueueOptions): Promise<RunningQueue> {
  const { concurrency, databaseUrl, log, onPool, onWakeup, sockets } = options;
  let handling = 0;
  const whenIdle = new Set<() => void>();
  async function handle(payload: unknown): Promise<void> {
    handling += 1;
    try {
      await onWakeup(payload);
    } finally {
      handling -= 1;
      if (handling === 0) for (const tell of whenIdle) tell();
    }
  }

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
    concurrency,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    parsedCronItems: [],
    taskList: Object.fromEntries(TASK_KINDS.map((kind) => [kind, handle] as const)),
    logger: quietLogger(log),
    events,
    // A completion is awaited only without batching: otherwise a stop can leave a finished wake-up locked for hours.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  }).catch((error: unknown) => {
    void pool.end().catch(() => {});
    throw error;
  });
  const ended = runner.promise.then(
    () => 'lost' as const,
    () => 'lost' as const,
  );
  return {
    runner,
    pool,
    poolId,
    lost: Promise.race([lost, ended]),
    idle: () => (handling === 0 ? Promise.resolve() : new Promise((resolve) => whenIdle.add(resolve))),
  };
}

/** Graphile Worker's own log, warnings and errors only. */
function quietLogger(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log('error', `Graphile Worker: ${message}`);
    else if (level === 'warning') log('warn', `Graphile Worker: ${message}`);
  });
}
