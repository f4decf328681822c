import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { PartFailedError } from '../errors.ts';
import { signalGroup } from '../processes.ts';
import { openLogFile } from './log-file.ts';
import type { LogFile } from './log-file.ts';

/** Delay before a crashed process is started again. It doubles with each crash in a row. */
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** The crash of a process that ran this long counts as the first one in a row. */
const STABLE_AFTER_MS = 30_000;
/** The start fails after this many crashes before the process was ever ready. */
const MAX_START_CRASHES = 3;
const READY_POLL_MS = 20;
const SUPERVISOR_PREFIX = '(supervisor)';
const DEFAULT_READY_TIMEOUT_MS = 30_000;
const DEFAULT_STOP_TIMEOUT_MS = 6_000;

/** How to run one process of the stack. */
export interface PartSpec {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Path of the log of its output, or an open log. */
  logFile: string | LogFile;
  /** Where to look when the process does not start. Default: its log in the data directory. */
  failureHint?: string;
  /** Tests whether the process is ready. Called repeatedly until it resolves to true; a rejection counts as false. */
  isReady: (pid: number) => Promise<boolean>;
  readyTimeoutMs?: number;
  /** How long the process may take after SIGTERM. Then its process group is killed. */
  stopTimeoutMs?: number;
}

/** A supervised process, which is started again when it crashes. */
export interface Part {
  name: string;
  /** Id of the running process; undefined between a crash and the next start. */
  pid(): number | undefined;
  /** How often it was started again. */
  restarts(): number;
  /** Stops the process with its process group. Resolves when it has exited. */
  stop(): Promise<void>;
}

/** Receives the events of a part. */
export interface PartListener {
  log(line: string): void;
  /** A process was started (its id) or has exited (undefined). */
  pidChanged(pid: number | undefined): void;
}

/** The line that most likely names the cause: the last one that mentions an error, else the last one. */
function likelyCause(lines: string[]): string {
  const own = lines.filter((line) => line.trim() !== '' && !line.startsWith(SUPERVISOR_PREFIX));
  return (
    own.findLast((line) => /\b\w*(error|fatal)\b/i.test(line) && !/^\s+at /.test(line)) ??
    own.at(-1) ??
    'it printed nothing'
  );
}

class SupervisedProcess implements Part {
  readonly name: string;
  readonly #spec: PartSpec;
  readonly #listener: PartListener;
  readonly #logFile: LogFile;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #child: ChildProcess | undefined;
  #crashesInARow = 0;
  #starts = 0;
  #wasReady = false;
  /** Whether the process will not be started again. */
  #isOver = false;

  constructor(spec: PartSpec, listener: PartListener) {
    this.name = spec.name;
    this.#spec = spec;
    this.#listener = listener;
    this.#logFile = typeof spec.logFile === 'string' ? openLogFile(spec.logFile) : spec.logFile;
    this.#running = this.#run().finally(() => (this.#isOver = true));
  }

  pid(): number | undefined {
    return this.#child?.pid;
  }

  restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const pid = this.#child?.pid;
    if (pid !== undefined) {
      this.#child?.kill('SIGTERM');
      const timeout = this.#spec.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), timeout);
      await this.#running;
      clearTimeout(timer);
    }
    await this.#running;
  }

  /** Returns undefined when the process is ready, or the error if it did not become ready. */
  async waitUntilReady(signal?: AbortSignal): Promise<PartFailedError | undefined> {
    const deadline = Date.now() + (this.#spec.readyTimeoutMs ?? DEFAULT_READY_TIMEOUT_MS);
    while (!this.#isOver && Date.now() < deadline) {
      if (signal?.aborted) return new PartFailedError(this.name, 'the start was interrupted', 'Start again.');
      const child = this.#child;
      // The process that was tested must still be the running one.
      if (
        child?.pid !== undefined &&
        (await this.#spec.isReady(child.pid).catch(() => false)) &&
        child === this.#child
      ) {
        this.#wasReady = true;
        return undefined;
      }
      await delay(READY_POLL_MS);
    }
    const cause = likelyCause(this.#logFile.tail());
    return new PartFailedError(
      this.name,
      this.#isOver ? `it exited ${this.#starts} times while starting: ${cause}` : `it was not ready in time: ${cause}`,
      this.#spec.failureHint ?? `See ${this.name}.log in the folder logs of the data directory.`,
    );
  }

  /** Starts the process again and again until it is stopped or crashes too often while starting. */
  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const startedAt = Date.now();
      // `spawn` throws if it cannot even try (the command line is too long), instead of emitting an event.
      const reason = await this.#runOnce().catch((error: Error) => error.message);
      if (this.#stopping.signal.aborted) return;
      this.#crashesInARow = Date.now() - startedAt > STABLE_AFTER_MS ? 1 : this.#crashesInARow + 1;
      if (!this.#wasReady && this.#crashesInARow >= MAX_START_CRASHES) return;
      const backoff = Math.min(MIN_BACKOFF_MS * 2 ** (this.#crashesInARow - 1), MAX_BACKOFF_MS);
      this.#logFile.write(`${SUPERVISOR_PREFIX} exited: ${reason}; starting again in ${backoff} ms`);
      if (this.#wasReady) this.#listener.log(`${this.name} exited (${reason}): starting it again in ${backoff} ms`);
      await delay(backoff, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  /** Runs the process once. Resolves to the reason of its exit: a signal, an exit code or an error. */
  #runOnce(): Promise<string> {
    return new Promise((resolve) => {
      this.#starts += 1;
      const { command, args, cwd, env } = this.#spec;
      // A process group of its own: Ctrl-C in the terminal reaches only the supervisor, which stops the parts in order.
      const child = spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
      this.#child = child;
      const { pid } = child;
      const onExit = (reason: string): void => {
        // Kills the processes that the process itself started.
        if (pid !== undefined) signalGroup(pid, 'SIGKILL');
        this.#child = undefined;
        this.#listener.pidChanged(undefined);
        resolve(reason);
      };
      child.once('error', (error) => onExit(error.message));
      child.once('exit', (code, exitSignal) => onExit(exitSignal ?? `exit code ${code}`));
      child.stdin?.on('error', () => {});
      // The streams are missing if no file descriptor was left.
      for (const stream of [child.stdout, child.stderr]) {
        if (stream) createInterface({ input: stream }).on('line', (line) => this.#logFile.write(line));
      }
      this.#listener.pidChanged(pid);
    });
  }
}

/**
 * Starts a process and keeps it running. Its output goes to its log file. A crashed process is started again after a delay
 * that grows. Resolves when the process is ready.
 * @throws PartFailedError if it is not ready in time, crashes three times while starting or `signal` aborts; then nothing is
 *   left running
 */
export async function supervise(spec: PartSpec, listener: PartListener, signal?: AbortSignal): Promise<Part> {
  const part = new SupervisedProcess(spec, listener);
  const failure = await part.waitUntilReady(signal);
  if (failure === undefined) return part;
  await part.stop();
  throw failure;
}
