/** Runs a worker: registration, queue, periodic work, and an orderly stop. */
import { randomUUID } from 'node:crypto';
import { PROTOCOL_VERSION } from '../schema/constants.ts';
import { DEFAULT_CONCURRENCY, DEFAULT_LIMITS } from './config.ts';
import type { WorkerConfig } from './config.ts';
import { openDatabase } from './database/database.ts';
import type { Db } from './database/database.ts';
import type { WorkerStartError } from './errors.ts';
import { throwIfRefused } from './first-connection.ts';
import { handleTask } from './handle-task.ts';
import type { RunningTasks } from './handle-task.ts';
import { createLog } from './log.ts';
import { readDatabase, readStorageBytes, readStorageCircuit } from './database/monitoring-api.ts';
import { WorkerMetrics } from './monitoring/metrics.ts';
import { startMonitoring } from './monitoring/server.ts';
import type { Monitoring } from './monitoring/server.ts';
import { emptyOutbox } from './outbox.ts';
import { deliverEvents } from './outgoing-events.ts';
import type { Webhook } from './outgoing-events.ts';
import { onceAtATime, repeat, within } from './periodic.ts';
import { openQueue } from './queue.ts';
import type { Queue } from './queue.ts';
import { errorText, redact } from './redact.ts';
import { registerWorker } from './registration.ts';
import type { Registration, RegistrationOptions } from './registration.ts';
import { startSocketWatchdog } from './database/socket-watchdog.ts';
import type { SocketWatchdog } from './database/socket-watchdog.ts';
import { admitWaiting, deregisterWorker, sweep, unlockPools } from './database/database-api.ts';
import { writeTaskLogs } from './database/task-logs-api.ts';
import { watchSeparationModels } from './separation-models.ts';
import { watchServices } from './service-watch.ts';
import { openStorage } from './services/storage.ts';
import { checkStorage } from './storage-check.ts';
import { TaskLogs } from './task-logs.ts';
import type { WorkerContext } from './tasks/context.ts';

export const WORKER_VERSION = '0.1.0';
/** Connections besides those that running tasks may use at one time. */
const EXTRA_CONNECTIONS = 2;
const SWEEP_MS = 1_000;
const EVENTS_MS = 1_000;
const TASK_LOGS_MS = 1_000;
/** Limit for each step of the stop. What is not done then is left to the sweep of another worker. */
const STOP_STEP_MS = 2_000;
const CLOSE_TIMEOUT_MS = 1_000;

export interface RunningWorker {
  id: string;
  /** Base URL of the port for monitoring, if the worker has one. */
  monitoringUrl: string | undefined;
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
  state: { isStopping: boolean };
  /** Resolves when the database no longer serves the version of the worker. */
  incompatible: Promise<WorkerStartError>;
  stopPeriodicWork: () => void;
  monitoring: Monitoring | undefined;
}

/**
 * Runs a worker in this process. Resolves when it is registered and takes tasks. Waits for a database that is not available.
 * @throws WorkerStartError for a database that refuses the worker or does not serve its version, a connection without
 *   notifications, a key that Storage refuses, or a port that is taken
 */
export async function runWorker(config: WorkerConfig): Promise<RunningWorker> {
  const concurrency = config.concurrency ?? DEFAULT_CONCURRENCY;
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const sockets = startSocketWatchdog(limits.answerTimeoutMs);
  const id = randomUUID();
  const db = openWorkerDatabase(config.databaseUrl, concurrency, sockets);
  const worker: WorkerContext = {
    id,
    db,
    storage: openStorage(config.supabaseUrl, config.serviceRoleKey),
    serviceUrls: config.serviceUrls,
    serviceTokens: config.serviceTokens ?? {},
    rendersOpenings: config.rendersOpenings ?? true,
    limits,
    log: createLog(config.logFormat ?? 'json', config.write ?? ((line) => process.stderr.write(`${line}\n`))),
    metrics: new WorkerMetrics(),
    taskLogs: new TaskLogs((lines) => writeTaskLogs(db, id, lines)),
  };
  const monitoring = await openMonitoring(worker, config, concurrency);
  try {
    const parts = await startParts(worker, config, { concurrency, sockets, monitoring });
    return runningWorker(parts);
  } catch (error) {
    await monitoring?.close();
    await closeDatabase(worker.db);
    throw error;
  }
}

/** Opens the port for monitoring, if one is configured: before the database answers, so that a waiting worker shows why. */
async function openMonitoring(
  { db, id, log, metrics }: WorkerContext,
  { monitoring: address }: WorkerConfig,
  concurrency: number,
): Promise<Monitoring | undefined> {
  if (address === undefined) return undefined;
  const database = { readings: () => readDatabase(db), storage: () => readStorageBytes(db) };
  const worker = { id, version: WORKER_VERSION, concurrency };
  return startMonitoring({ address, worker, metrics, database, log });
}

/** Registers the worker and starts its queue and its periodic work. */
async function startParts(
  worker: WorkerContext,
  { databaseUrl, webhook }: WorkerConfig,
  {
    concurrency,
    monitoring,
    sockets,
  }: { concurrency: number; monitoring: Monitoring | undefined; sockets: SocketWatchdog },
): Promise<WorkerParts> {
  const running: RunningTasks = new Map();
  const stopStorageCheck = await checkStorage(worker.storage, worker.log);
  const { promise: incompatible, resolve: onIncompatible } = Promise.withResolvers<WorkerStartError>();
  const registration = await register(worker, running, sockets, { databaseUrl, concurrency, onIncompatible });
  const state = { isStopping: false };
  const queue = openQueue({
    databaseUrl,
    db: worker.db,
    concurrency,
    sockets,
    log: worker.log,
    // An entry that arrives during the stop is not claimed: its task stays ready and is enqueued again.
    onEntry: (payload, isCurrent) =>
      state.isStopping
        ? Promise.resolve()
        : handleTask(worker, running, payload, () => isCurrent() && !state.isStopping),
    onPool: (poolId) => registration.addPool(poolId),
  });
  monitoring?.started({
    isStopping: () => state.isStopping,
    isRegistered: () => registration.isConnected(),
    isQueueRunning: () => queue.isRunning(),
    storageCircuit: () => readStorageCircuit(worker.db),
  });
  const stopJobs = startPeriodicWork(worker, webhook);
  return {
    worker,
    running,
    registration,
    queue,
    sockets,
    state,
    incompatible,
    stopPeriodicWork: () => {
      stopStorageCheck();
      stopJobs();
    },
    monitoring,
  };
}

function runningWorker(parts: WorkerParts): RunningWorker {
  const { worker, running, queue, state } = parts;
  const { promise: done, resolve: ended } = Promise.withResolvers<WorkerStartError | undefined>();
  let stopped: Promise<void> | undefined;
  const stop = (reason?: WorkerStartError): Promise<void> => {
    state.isStopping = true;
    return (stopped ??= stopWorker(parts).then(() => ended(reason)));
  };
  void parts.incompatible.then(async (error) => {
    state.isStopping = true;
    worker.log('error', `${error.message}. ${error.hint}`, { code: error.code, running: running.size });
    worker.log('info', 'taking no more tasks; ending when the running ones are finished');
    await queue.stop();
    await stop(error);
  });
  return { id: worker.id, monitoringUrl: parts.monitoring?.url, done, stop: () => stop() };
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
  return registerWorker(db, {
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
    onAdmit: onceAtATime(() => admitWaiting(db), log, 'the admission of jobs'),
    onOutageEnd: (since) => sockets.destroySilentSince(since),
  });
}

/**
 * Starts sweeps, the deletion of files, the delivery of events, the writing of task logs, and the watch of the services and of the
 * separation models. Returns a function that stops them.
 */
function startPeriodicWork(worker: WorkerContext, webhook: Webhook | undefined): () => void {
  const { db, limits, log, metrics, storage } = worker;
  const stopWatching = watchSeparationModels(worker);
  const stopChecking = watchServices(worker);
  const stopSweeping = repeat(SWEEP_MS, log, 'the sweep', async () => {
    await sweep(db);
  });
  const stopDeleting = repeat(limits.deletionIntervalMs, log, 'the deletion of files', async () => {
    await emptyOutbox(db, storage, log);
  });
  const stopDelivering = repeat(EVENTS_MS, log, 'the delivery of events', async () => {
    await deliverEvents(db, webhook, log, (result, code) => metrics.jobEnded(result, code));
  });
  const stopLogging = repeat(TASK_LOGS_MS, log, 'the writing of task logs', () => worker.taskLogs.flush());
  return () => {
    stopLogging();
    stopWatching();
    stopChecking();
    stopDelivering();
    stopSweeping();
    stopDeleting();
  };
}

async function stopWorker(parts: WorkerParts): Promise<void> {
  const { worker, running, registration, queue, sockets, stopPeriodicWork, monitoring } = parts;
  const { db, id, log, taskLogs } = worker;
  log('info', 'stopping', { running: running.size });
  stopPeriodicWork();
  // Takes no more entries from now on. It resolves when the handlers have ended, which the abort below causes.
  const queueStopped = queue.stop();
  registration.deregister();
  // Only a registered worker writes lines.
  for (const { claim } of running.values())
    taskLogs.add(claim, 'info', `${claim.kind} returned: the worker is stopping`);
  await within(STOP_STEP_MS, taskLogs.flush()).catch(() => {});
  await within(STOP_STEP_MS, deregisterWorker(db, id)).catch((error: unknown) => {
    log('warn', 'could not deregister; another worker will recover the tasks', { error: errorText(error) });
  });
  for (const { lease } of running.values()) lease.abort('stopping');
  await within(STOP_STEP_MS, queueStopped).catch(() => {});
  // A runner that was fetching an entry while the worker deregistered has locked it since.
  await within(STOP_STEP_MS, unlockPools(db, registration.poolIds())).catch(() => {});
  await registration.stop();
  await monitoring?.close();
  await closeDatabase(db);
  await sockets.close(CLOSE_TIMEOUT_MS);
  log('info', 'stopped');
}

async function closeDatabase(db: Db): Promise<void> {
  await within(CLOSE_TIMEOUT_MS, db.destroy()).catch(() => {});
}
