/** Runs a worker: registration, queue, periodic work, and an orderly stop. */
import { randomUUID } from 'node:crypto';
import { PROTOCOL_VERSION } from '../schema/constants.ts';
import { DEFAULT_CONCURRENCY, DEFAULT_LIMITS } from './config.ts';
import type { WorkerConfig } from './config.ts';
import { openDatabase } from './database/database.ts';
import type { Db } from './database/database.ts';
import { TaskError, WorkerStartError } from './errors.ts';
import { throwIfRefused } from './first-connection.ts';
import { handleTask } from './handle-task.ts';
import type { RunningTasks } from './handle-task.ts';
import { createLog } from './log.ts';
import { emptyOutbox } from './outbox.ts';
import { deliverEvents } from './outgoing-events.ts';
import type { Webhook } from './outgoing-events.ts';
import { repeat, within } from './periodic.ts';
import { openQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import { errorText, redact } from './redact.ts';
import { registerWorker } from './registration.ts';
import type { Registration, RegistrationOptions } from './registration.ts';
import { startSocketWatchdog } from './database/socket-watchdog.ts';
import type { SocketWatchdog } from './database/socket-watchdog.ts';
import { deregisterWorker, sweep } from './database/database-api.ts';
import { KEY_HINT } from './services/download.ts';
import { openStorage } from './services/storage.ts';
import type { WorkerContext } from './tasks/context.ts';

export const WORKER_VERSION = '0.1.0';
/** Connections besides those that running tasks may use at one time. */
const EXTRA_CONNECTIONS = 2;
const SWEEP_MS = 1_000;
const EVENTS_MS = 1_000;
/** Limit for each step of the stop. What is not done then is left to the sweep of another worker. */
const STOP_STEP_MS = 2_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface RunningWorker {
  id: string;
  /** Requeues the running tasks and ends, within five seconds. Safe to call twice. */
  stop(): Promise<void>;
  /** Resolves when the worker has ended; with an error if the database no longer serves its version. */
  done: Promise<WorkerStartError | undefined>;
}

/** The parts of a running worker. */
interface WorkerParts {
  worker: WorkerContext;
  running: RunningTasks;
  registration: Registration;
  queue: Queue;
  sockets: SocketWatchdog;
  stopPeriodicWork: () => void;
}

/**
 * Runs a worker in this process. Resolves when it is registered and takes tasks. Waits for a database that is not available.
 * @throws WorkerStartError for a database that refuses the worker or does not serve its version, a connection without notifications, or a key that Storage
 *   refuses
 */
export async function runWorker(config: WorkerConfig): Promise<RunningWorker> {
  const concurrency = config.concurrency ?? DEFAULT_CONCURRENCY;
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const sockets = startSocketWatchdog(limits.answerTimeoutMs);
  const worker: WorkerContext = {
    id: randomUUID(),
    db: openWorkerDatabase(config.databaseUrl, concurrency, sockets),
    storage: openStorage(config.supabaseUrl, config.serviceRoleKey),
    serviceUrls: config.serviceUrls,
    serviceTokens: config.serviceTokens ?? {},
    limits,
    log: createLog(config.logFormat ?? 'json', config.write ?? ((line) => process.stderr.write(`${line}\n`))),
  };
  const running: RunningTasks = new Map();
  await checkStorage(worker);
  const incompatible = Promise.withResolvers<WorkerStartError>();
  const registration = await register(worker, running, sockets, {
    databaseUrl: config.databaseUrl,
    concurrency,
    onIncompatible: incompatible.resolve,
  });

  let isStopping = false;
  const queue = openQueue({
    databaseUrl: config.databaseUrl,
    db: worker.db,
    concurrency,
    sockets,
    log: worker.log,
    // An entry that arrives during the stop is not claimed: its task stays ready and is enqueued again.
    onEntry: (payload) => (isStopping ? Promise.resolve() : handleTask(worker, running, payload)),
    onPool: (poolId) => registration.addPool(poolId),
  });
  const stopPeriodicWork = startPeriodicWork(worker, config.webhook);

  const { promise: done, resolve: ended } = Promise.withResolvers<WorkerStartError | undefined>();
  let stopped: Promise<void> | undefined;
  const stop = (reason?: WorkerStartError): Promise<void> => {
    isStopping = true;
    stopped ??= stopWorker({ worker, running, registration, queue, sockets, stopPeriodicWork }).then(() =>
      ended(reason),
    );
    return stopped;
  };
  void incompatible.promise.then(async (error) => {
    isStopping = true;
    worker.log('error', `${error.message}. ${error.hint}`, { code: error.code, running: running.size });
    worker.log('info', 'taking no more tasks; ending when the running ones are finished');
    await queue.stop();
    await stop(error);
  });
  return { id: worker.id, done, stop: () => stop() };
}

/**
 * Asks Storage whether it accepts the key. A Storage that is not available is no reason not to start: tasks wait for it.
 * @throws WorkerStartError `storage_key_rejected`
 */
async function checkStorage({ db, storage, log }: WorkerContext): Promise<void> {
  try {
    await storage.check();
  } catch (error) {
    if (error instanceof TaskError && error.code === 'storage_key_rejected') {
      await closeDatabase(db);
      throw new WorkerStartError(error.code, error.message, KEY_HINT, error);
    }
    log('warn', 'Storage could not be checked', { error: errorText(error) });
  }
}

function openWorkerDatabase(databaseUrl: string, concurrency: number, sockets: SocketWatchdog): Db {
  try {
    return openDatabase(databaseUrl, concurrency + EXTRA_CONNECTIONS, sockets);
  } catch (error) {
    throwIfRefused(error, databaseUrl);
    throw error;
  }
}

async function register(
  { db, id, log, serviceUrls }: WorkerContext,
  running: RunningTasks,
  sockets: SocketWatchdog,
  options: Pick<RegistrationOptions, 'databaseUrl' | 'concurrency' | 'onIncompatible'>,
): Promise<Registration> {
  try {
    return await registerWorker(db, {
      ...options,
      workerId: id,
      version: WORKER_VERSION,
      protocol: PROTOCOL_VERSION,
      services: Object.fromEntries(Object.entries(serviceUrls).map(([name, url]) => [name, redact(url)])),
      log,
      onSignal: (jobId) => {
        for (const { claim, lease } of running.values())
          if (jobId === undefined || claim.job_id === jobId) lease.checkNow();
      },
      onOutageEnd: (since) => sockets.destroySilentSince(since),
    });
  } catch (error) {
    await closeDatabase(db);
    throw error;
  }
}

/** Starts sweeps, the deletion of files and the delivery of events. Returns a function that stops them. */
function startPeriodicWork({ db, limits, log, storage }: WorkerContext, webhook: Webhook | undefined): () => void {
  const stopSweeping = repeat(SWEEP_MS, log, 'the sweep', async () => {
    await sweep(db);
  });
  const stopDeleting = repeat(limits.deletionIntervalMs, log, 'the deletion of files', async () => {
    await emptyOutbox(db, storage, log);
  });
  const stopDelivering = repeat(EVENTS_MS, log, 'the delivery of events', async () => {
    await deliverEvents(db, webhook, log);
  });
  return () => {
    stopDelivering();
    stopSweeping();
    stopDeleting();
  };
}

async function stopWorker({
  worker,
  running,
  registration,
  queue,
  sockets,
  stopPeriodicWork,
}: WorkerParts): Promise<void> {
  const { db, id, log } = worker;
  log('info', 'stopping', { running: running.size });
  stopPeriodicWork();
  // Takes no more entries from now on. It resolves when the handlers have ended, which the abort below causes.
  const queueStopped = queue.stop();
  registration.deregister();
  await within(STOP_STEP_MS, deregisterWorker(db, id)).catch((error: unknown) => {
    log('warn', 'could not deregister; another worker will recover the tasks', { error: errorText(error) });
  });
  for (const { lease } of running.values()) lease.abort('stopping');
  await within(STOP_STEP_MS, queueStopped).catch(() => {});
  await registration.stop();
  await closeDatabase(db);
  await sockets.close(CLOSE_TIMEOUT_MS);
  log('info', 'stopped');
}

async function closeDatabase(db: Db): Promise<void> {
  await within(CLOSE_TIMEOUT_MS, db.destroy()).catch(() => {});
}
