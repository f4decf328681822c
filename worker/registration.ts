/**
 * Registers the worker and keeps it registered. Its own connection holds a session advisory lock as a sign of life, sends
 * worker heartbeats, and listens for replays and cancellations. A lost connection is reopened within a second.
 *
 * The server releases the lock when the process ends. Other workers treat a worker as dead only if its lock is free and its
 * last heartbeat is older than `crash_grace_sec` (1 s), hence the short interval: a lost connection alone does not make a
 * worker look dead.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Db } from './database/database.ts';
import { heartbeatWorker, registerWorkerRow } from './database/registration-api.ts';
import { openRegistrationConnection, QUERY_TIMEOUT_MS } from './database/registration-connection.ts';
import { checkRole } from './database/role-check.ts';
import { checkListen, checkSession } from './database/session-check.ts';
import { createBackoff } from './backoff.ts';
import { explainConnection } from '../connection/explain.ts';
import { createFailureLog } from './failure-log.ts';
import type { FailureLog } from './failure-log.ts';
import { WorkerStartError } from './errors.ts';
import { connectFirst } from './first-connection.ts';
import { incompatibilityOf } from './compatibility.ts';
import type { Log } from './log.ts';
import { createSleeper } from './sleeper.ts';

const HEARTBEAT_MS = 400;
/** Added to the time of the last request without a response: an outage began at the latest this much after it. */
const OUTAGE_MARGIN_MS = 1_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 1_000;
/** Delays while the server refuses the login: hosted databases ban addresses that try too often. */
const REFUSED_MIN_MS = 1_000;
const REFUSED_MAX_MS = 30_000;
/** Limit for the end of the heartbeat loop. */
const STOP_TIMEOUT_MS = 500;
/** Graphile Worker pools to keep in the worker's row: an earlier one may have left locked jobs. */
const MAX_POOL_IDS = 5;

export interface RegistrationOptions {
  databaseUrl: string;
  workerId: string;
  version: string;
  protocol: number;
  concurrency: number;
  /** Base URLs of the services, without secrets. */
  services: Record<string, string>;
  log: Log;
  /** A job was replayed, cancelled or failed. Undefined: notifications may have been missed, check all tasks. */
  onSignal: (jobId: string | undefined) => void;
  /** Jobs wait for slots, and the transaction that saw it could not admit them. */
  onAdmit: () => void;
  /** An outage in which no data came through is over. `since`: the latest time at which it began, by the monotonic clock. */
  onOutageEnd: (since: number) => void;
  /** The database no longer serves this version of the worker. Called once; the worker should finish its tasks and end. */
  onIncompatible: (error: WorkerStartError) => void;
}

export interface Registration {
  /** Whether there is a connection, which has taken the last heartbeat. */
  isConnected(): boolean;
  /** Adds a Graphile Worker pool to the worker's row, so that its locks are released if this process dies. */
  addPool(poolId: string): void;
  /** Pools of the worker's runners, the newest last. */
  poolIds(): readonly string[];
  /** Stops registering the worker again. Call it before `deregister_worker`. */
  deregister(): void;
  /** Closes the connection. */
  stop(): Promise<void>;
}

/**
 * Connects, takes the lock, registers the worker and checks that LISTEN works. Waits for a database that is not available or
 * not migrated yet.
 * @throws WorkerStartError for a login that is refused, for a connection that does not deliver notifications, and for a database
 *   that does not serve this version
 */
export async function registerWorker(db: Db, options: RegistrationOptions): Promise<Registration> {
  const registration = new WorkerRegistration(options);
  await registration.start(db);
  return registration;
}

class WorkerRegistration implements Registration {
  readonly #options: RegistrationOptions;
  readonly #poolIds: string[] = [];
  readonly #sleeper = createSleeper();
  #client: pg.Client | undefined;
  #lockKey = '0';
  #lastRequestAt = performance.now();
  #isRowStale = false;
  readonly #failures: FailureLog;
  #isDeregistering = false;
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#failures = createFailureLog(options.log, options.databaseUrl);
  }

  async start(db: Db): Promise<void> {
    const { databaseUrl, log, workerId } = this.#options;
    // A connection that is lost during a check says nothing about the pooler: connection and checks start again.
    const connect = async (): Promise<void> => {
      this.#client = await this.#connect(async (client) => {
        await checkSession(client, db);
        await checkRole(client);
      });
      await checkListen(this.#client, db, workerId).catch((error: unknown) => {
        this.#disconnect();
        throw error;
      });
    };
    await connectFirst(connect, databaseUrl, log);
    this.#loop = this.#run();
  }

  isConnected(): boolean {
    return this.#client !== undefined;
  }

  poolIds(): readonly string[] {
    return this.#poolIds;
  }

  addPool(poolId: string): void {
    this.#poolIds.push(poolId);
    this.#poolIds.splice(0, this.#poolIds.length - MAX_POOL_IDS);
    this.#isRowStale = true;
    this.#sleeper.wake();
  }

  deregister(): void {
    this.#isDeregistering = true;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#disconnect();
    await Promise.race([this.#loop, sleep(STOP_TIMEOUT_MS)]);
  }

  #disconnect(): void {
    const old = this.#client;
    this.#client = undefined;
    if (old) {
      old.removeAllListeners('notification');
      void old.end().catch(() => {});
    }
    this.#sleeper.wake();
  }

  async #connect(check?: (client: pg.Client) => Promise<void>): Promise<pg.Client> {
    const { databaseUrl, onAdmit, onOutageEnd, onSignal } = this.#options;
    const client = await openRegistrationConnection({
      databaseUrl,
      check,
      onJobSignal: onSignal,
      onAdmit,
      onError: (lost, error) => {
        if (this.#client !== lost) return;
        this.#failures.failed('lost the database connection', error);
        this.#disconnect();
      },
      register: async (on, lockKey) => {
        this.#lockKey = lockKey;
        await this.#register(on);
      },
    });
    const since = this.#lastRequestAt;
    if (performance.now() - since >= QUERY_TIMEOUT_MS) onOutageEnd(since + OUTAGE_MARGIN_MS);
    return client;
  }

  async #register(on: pg.Client): Promise<void> {
    const { concurrency, protocol, services, version, workerId } = this.#options;
    await registerWorkerRow(on, {
      workerId,
      lockKey: this.#lockKey,
      version,
      protocol,
      concurrency,
      poolIds: this.#poolIds,
      services,
    });
    this.#isRowStale = false;
  }

  async #sendHeartbeat(on: pg.Client): Promise<void> {
    this.#lastRequestAt = performance.now();
    const isKnown = await heartbeatWorker(on, this.#options.workerId);
    if (this.#isDeregistering || (isKnown && !this.#isRowStale)) return;
    try {
      await this.#register(on);
    } catch (error) {
      // The heartbeats go on: the worker holds its tasks until they are finished.
      if (!this.#retire(error)) throw error;
    }
  }

  /** Reports that the database no longer serves this version, if that is what an error says. */
  #retire(error: unknown): boolean {
    const incompatibility = incompatibilityOf(error);
    if (incompatibility === undefined) return false;
    this.#isDeregistering = true;
    this.#options.onIncompatible(incompatibility);
    return true;
  }

  /** Sends heartbeats and reconnects, until the registration is stopped. */
  async #run(): Promise<void> {
    const unreachable = createBackoff(RECONNECT_MIN_MS, RECONNECT_MAX_MS);
    const refused = createBackoff(REFUSED_MIN_MS, REFUSED_MAX_MS);
    // A connection that is lost before its first heartbeat does not end the back-off.
    let delayMs = 0;
    while (!this.#isStopped) {
      if (this.#client === undefined) {
        await this.#sleeper.sleep(delayMs);
        if (this.#isStopped) break;
        delayMs = ((await this.#reconnect()) === 'refused' ? refused : unreachable).next();
        continue;
      }
      await this.#sleeper.sleep(HEARTBEAT_MS);
      const on = this.#client;
      if (this.#isStopped || on === undefined) continue;
      try {
        await this.#sendHeartbeat(on);
        this.#failures.recovered('reconnected to the database');
        delayMs = 0;
        unreachable.reset();
        refused.reset();
      } catch (error) {
        if (this.#client !== on) continue;
        this.#failures.failed('a worker heartbeat failed', error);
        this.#disconnect();
      }
    }
    // A connection that was being opened when the registration was stopped.
    this.#disconnect();
  }

  async #reconnect(): Promise<'connected' | 'retry' | 'refused'> {
    const { databaseUrl, onSignal } = this.#options;
    try {
      this.#client = await this.#connect();
    } catch (error) {
      if (this.#retire(error)) this.#isStopped = true;
      this.#failures.failed('cannot reach the database', error);
      return explainConnection(error, databaseUrl).outlook;
    }
    onSignal(undefined);
    return 'connected';
  }
}
