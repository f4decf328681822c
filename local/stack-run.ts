import { setTimeout as delay } from 'node:timers/promises';

import { SERVICES } from '../schema.ts';
import { prepareDatabase } from './database.ts';
import type { DataPaths } from './layout.ts';
import { isAlive } from './processes.ts';
import { startPostgres } from './postgres/launcher.ts';
import type { RunningPostgres } from './postgres/launcher.ts';
import { clearState, identityOf, ownIdentity, writeState } from './state.ts';
import type { StackInfo, StateFile } from './state.ts';
import { supervise } from './supervisor/supervise.ts';
import type { Part, PartSpec } from './supervisor/supervise.ts';

/** Interval of the checks that Postgres still runs. */
const DATABASE_POLL_MS = 500;
const SERVICE_NAMES: readonly string[] = SERVICES;

/** Groups of parts that stop one after the other: dependents first. */
const STOP_ORDER: ((name: string) => boolean)[] = [
  (name) => name === 'worker',
  (name) => name === 'functions',
  (name) => SERVICE_NAMES.includes(name),
  (name) => name === 'gateway',
];

/** A stack at run time: its processes and its state file. */
export class StackRun {
  readonly parts: Part[] = [];
  readonly #paths: DataPaths;
  readonly #log: (line: string) => void;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #pids = new Map<string, number>();
  readonly #pending = new Set<Promise<unknown>>();
  #database: RunningPostgres | undefined;
  #info: StackInfo | undefined;
  #ready = false;
  #saving: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(paths: DataPaths, log: (line: string) => void, signal?: AbortSignal) {
    this.#paths = paths;
    this.#log = log;
    this.#signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  /** Writes the state file before anything is started, so that processes left by a killed stack can be found. */
  async announce(info: StackInfo): Promise<void> {
    this.#info = info;
    await this.#save();
  }

  /** Records that the stack is ready. */
  async markReady(): Promise<void> {
    this.#signal.throwIfAborted();
    this.#ready = true;
    await this.#save();
  }

  /** Starts a part and waits until it is ready. */
  start(spec: PartSpec): Promise<Part> {
    const listener = {
      log: this.#log,
      pidChanged: (pid: number | undefined) => {
        if (pid === undefined) this.#pids.delete(spec.name);
        else this.#pids.set(spec.name, pid);
        void this.#save();
      },
    };
    return this.#track(
      supervise(spec, listener, this.#signal).then((part) => {
        this.parts.push(part);
        return part;
      }),
    );
  }

  /** Starts Postgres, prepares the database and keeps the server running. Resolves to the superuser's URL. */
  startDatabase(options: {
    port: number;
    settings: Record<string, string> | undefined;
    workerPassword: string;
  }): Promise<string> {
    const start = (): Promise<RunningPostgres> =>
      startPostgres({
        dataDir: this.#paths.postgres,
        port: options.port,
        settings: options.settings,
        log: this.#log,
      });
    const prepare = async (): Promise<string> => {
      this.#database = await start();
      this.#signal.throwIfAborted();
      const { superuserUrl, url } = this.#database;
      await prepareDatabase({ superuserUrl, url, workerPassword: options.workerPassword, log: this.#log });
      this.#signal.throwIfAborted();
      void this.#keepDatabaseRunning(start);
      return superuserUrl;
    };
    return this.#track(prepare());
  }

  /** Process id of the running Postgres server. */
  databasePid(): number | undefined {
    return this.#database?.pid;
  }

  /** Stops everything in order. A second call waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#abort.abort();
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    for (const isInGroup of STOP_ORDER) {
      await Promise.all(this.parts.filter((part) => isInGroup(part.name)).map((part) => part.stop()));
    }
    await this.#database?.stop('fast');
    await this.#saving;
    await clearState(this.#paths);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const done = work.finally(() => this.#pending.delete(done));
    this.#pending.add(done);
    return done;
  }

  async #keepDatabaseRunning(start: () => Promise<RunningPostgres>): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await delay(DATABASE_POLL_MS, undefined, { signal: this.#abort.signal }).catch(() => {});
      if (this.#abort.signal.aborted || this.#database === undefined || isAlive(this.#database.pid)) continue;
      this.#log('Postgres exited: starting it again');
      await this.#track(start()).then(
        (database) => (this.#database = database),
        (error: Error) => this.#log(`Postgres could not be started again: ${error.message}`),
      );
    }
  }

  /** Writes the state file. Writes run one after the other, so that the latest state wins. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write()).catch((error: Error) => this.#log(error.message));
    return this.#saving;
  }

  async #write(): Promise<void> {
    if (this.#info === undefined) return;
    const children: StateFile['children'] = [];
    for (const [name, pid] of this.#pids) {
      const identity = identityOf(pid);
      if (identity !== undefined) children.push({ name, ...identity });
    }
    const worker = this.#pids.get('worker');
    this.#info.workers = worker === undefined ? [] : [worker];
    await writeState(this.#paths, { owner: ownIdentity(), ready: this.#ready, info: this.#info, children });
  }
}
