/** A worker: its session, its queue, its duties, and an orderly end. */
import { randomUUID } from 'node:crypto';
import { DEFAULT_CONCURRENCY, DEFAULT_LIMITS } from './config.ts';
import type { WorkerConfig } from './config.ts';
import { openDatabase } from './database/database.ts';
import type { Db } from './database/database.ts';
import { handleTask } from './handle-task.ts';
import type { RunningTasks } from './handle-task.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { emptyOutbox } from './outbox.ts';
import { openQueue } from './queue.ts';
import { redact, errorText } from './redact.ts';
import { openSession } from './registration.ts';
import { watchSockets } from './database/socket-watchdog.ts';
import { deregisterWorker, sweep } from './database/database-api.ts';
import { openStorage } from './services/storage.ts';
import type { WorkerContext } from './tasks/context.ts';

export const WORKER_VERSION = '0.1.0';
/** Connections beside those that running tasks may use at one time. */
const EXTRA_CONNECTIONS = 2;
const SWEEP_MS = 1_000;
/** Steps of the end that do not get through in this time are left to the sweep of another worker. */
const GOODBYE_MS = 2_000;
const CLOSE_SEC = 1;

export interface RunningWorker {
  id: string;
  /** Hands back what runs and ends, within five seconds. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when the worker has ended. */
  done: Promise<void>;
}

/**
 * Runs a worker in this process. Resolves when it is registered and takes tasks; waits for a database that is away.
 * @throws WorkerStartError for a database that refuses it, or a connection without LISTEN
 */
export async function runWorker(config: WorkerConfig): Promise<RunningWorker> {
  const concurrency = config.concurrency ?? DEFAULT_CONCURRENCY;
  const log = createLog(config.logFormat ?? 'json', config.write ?? ((line) => process.stderr.write(`${line}\n`)));
  const id = randomUUID();
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const sockets = watchSockets(limits.answerTimeoutMs);
  const db = openDatabase(config.databaseUrl, concurrency + EXTRA_CONNECTIONS, sockets);
  const running: RunningTasks = new Map();
  const worker: WorkerContext = {
    id,
    db,
    storage: openStorage(config.supabaseUrl, config.serviceRoleKey),
    serviceUrls: config.serviceUrls,
    limits,
    log,
  };

  const session = await openSession(db, {
    databaseUrl: config.databaseUrl,
    workerId: id,
    version: WORKER_VERSION,
    concurrency,
    services: Object.fromEntries(Object.entries(config.serviceUrls).map(([name, url]) => [name, redact(url)])),
    log,
    onSignal: (jobId) => {
      for (const { claim, watch } of running.values()) if (jobId === undefined || claim.job_id === jobId) watch.ask();
    },
    onSilence: (since) => sockets.dropSilentSince(since),
  }).catch(async (error: unknown) => {
    await closeDatabase(db);
    throw error;
  });
  let isStopping = false;
  const queue = openQueue({
    databaseUrl: config.databaseUrl,
    db,
    concurrency,
    sockets,
    log,
    // A wake-up that arrives during the end is not claimed: the task stays ready, and its wake-up is put back.
    onWakeup: (payload) => (isStopping ? Promise.resolve() : handleTask(worker, running, payload)),
    onPool: (poolId) => session.addPool(poolId),
  });
  const stopSweeping = repeat(SWEEP_MS, log, 'a sweep failed', async () => {
    await sweep(db);
  });
  const stopDeleting = repeat(worker.limits.deletionIntervalMs, log, 'deleting files failed', async () => {
    await emptyOutbox(db, worker.storage, log);
  });

  let ended: () => void = () => {};
  const done = new Promise<void>((resolve) => (ended = resolve));

  async function end(): Promise<void> {
    isStopping = true;
    log('info', 'stopping', { running: running.size });
    stopSweeping();
    stopDeleting();
    // Stops fetching at once; it resolves when the handlers have ended, which the abort below makes them do.
    const queueStopped = queue.stop();
    session.leave();
    await within(GOODBYE_MS, deregisterWorker(db, id)).catch((error: unknown) => {
      log('warn', 'could not say goodbye; the tasks are freed by another worker', { error: errorText(error) });
    });
    for (const { watch } of running.values()) watch.abort('stopping');
    await within(GOODBYE_MS, queueStopped).catch(() => {});
    await session.stop();
    await closeDatabase(db);
    log('info', 'stopped');
    ended();
  }

  let stopped: Promise<void> | undefined;
  return { id, done, stop: () => (stopped ??= end()) };
}

/** Runs a duty again and again, one round at a time; a round that fails is logged once until one succeeds. */
function repeat(everyMs: number, log: Log, complaint: string, duty: () => Promise<void>): () => void {
  let isRunning = false;
  let hasFailed = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    duty()
      .then(
        () => (hasFailed = false),
        (error: unknown) => {
          if (!hasFailed) log('warn', complaint, { error: errorText(error) });
          hasFailed = true;
        },
      )
      .finally(() => (isRunning = false));
  }, everyMs);
  return () => clearInterval(timer);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function closeDatabase(db: Db): Promise<void> {
  await within(CLOSE_SEC * 1_000, db.destroy()).catch(() => {});
}
