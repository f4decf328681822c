import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { PartFailedError } from '../errors.ts';
import { signalGroup } from '../processes.ts';
import { openLogFile } from './log-file.ts';

/** First pause before a crashed process is started again; doubles with each crash in a row. */
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** A process that lived this long is taken for sound: its next crash counts as the first. */
const SOUND_AFTER_MS = 30_000;
/** So many crashes before it was ever ready make the start fail. */
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
  logFile: string;
  /** Whether the process does its work now; asked again and again until it says yes. */
  isReady: (pid: number) => Promise<boolean>;
  readyTimeoutMs?: number;
  /** After SIGTERM; then the whole group is killed. */
  stopTimeoutMs?: number;
}

/** A process that is started again when it crashes. */
export interface Part {
  name: string;
  /** Of the process that runs now; undefined between a crash and the next start. */
  pid(): number | undefined;
  /** How often it was started again. */
  restarts(): number;
  /** Stops it with its whole process group and waits until it is gone. */
  stop(): Promise<void>;
}

/** Told what happens to a part. */
export interface PartListener {
  log(line: string): void;
  /** A process was started (its id) or has ended (undefined). */
  changed(pid: number | undefined): void;
}

/**
 * Starts a process and keeps it running: output goes to its log file, a crash starts it again with growing pauses.
 * Resolves when it is ready.
 * @throws PartFailedError when it is not ready in time or crashes three times before; nothing is left running then
 */
export async function supervise(spec: PartSpec, listener: PartListener, signal?: AbortSignal): Promise<Part> {
  const logFile = openLogFile(spec.logFile);
  let child: ChildProcess | undefined;
  let stopping = false;
  let crashesInARow = 0;
  let starts = 0;
  let everReady = false;
  const wake = new AbortController();

  const run = async (): Promise<void> => {
    while (!stopping) {
      const startedAt = Date.now();
      // What cannot even be tried (a command line that is too long) is told at once and not as an event.
      const ended = await runOnce().catch((error: Error) => error.message);
      if (stopping) return;
      crashesInARow = Date.now() - startedAt > SOUND_AFTER_MS ? 1 : crashesInARow + 1;
      if (!everReady && crashesInARow >= MAX_START_CRASHES) return;
      const pause = Math.min(FIRST_BACKOFF_MS * 2 ** (crashesInARow - 1), MAX_BACKOFF_MS);
      logFile.write(`${SUPERVISOR_PREFIX} ended: ${ended}; starting again in ${pause} ms`);
      if (everReady) listener.log(`${spec.name} ended (${ended}): starting it again in ${pause} ms`);
      await delay(pause, undefined, { signal: wake.signal }).catch(() => {});
    }
  };

  const runOnce = (): Promise<string> =>
    new Promise((resolve) => {
      starts += 1;
      // Its own process group: Ctrl-C in the terminal reaches the supervisor alone, which stops all in order.
      child = spawn(spec.command, spec.args, {
        cwd: spec.cwd,
        env: spec.env,
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const { pid } = child;
      child.once('error', (error) => finish(error.message));
      child.once('exit', (code, exitSignal) => finish(exitSignal ?? `exit code ${code}`));
      child.stdin?.on('error', () => {});
      // Where file descriptors have run out there are none.
      for (const stream of [child.stdout, child.stderr]) {
        if (stream) createInterface({ input: stream }).on('line', (line) => logFile.write(line));
      }
      listener.changed(pid);

      function finish(how: string): void {
        // What the process itself started goes with it.
        if (pid !== undefined) signalGroup(pid, 'SIGKILL');
        child = undefined;
        listener.changed(undefined);
        resolve(how);
      }
    });

  const running = run();

  const part: Part = {
    name: spec.name,
    pid: () => child?.pid,
    restarts: () => Math.max(0, starts - 1),
    async stop() {
      stopping = true;
      wake.abort();
      const pid = child?.pid;
      if (pid !== undefined) {
        child?.kill('SIGTERM');
        const stopTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), spec.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS);
        await running;
        clearTimeout(stopTimer);
      }
      await running;
    },
  };

  const failure = await waitUntilReady();
  if (failure === undefined) return part;
  await part.stop();
  throw failure;

  async function waitUntilReady(): Promise<Error | undefined> {
    let crashedOut = false;
    void running.then(() => (crashedOut = true));
    const deadline = Date.now() + (spec.readyTimeoutMs ?? DEFAULT_READY_TIMEOUT_MS);
    while (!crashedOut && Date.now() < deadline) {
      if (signal?.aborted) return new PartFailedError(spec.name, 'the start was interrupted', 'Start again.');
      const asked = child;
      // The one that answered must still be the one that runs.
      if (asked?.pid !== undefined && (await spec.isReady(asked.pid).catch(() => false)) && asked === child) {
        everReady = true;
        return undefined;
      }
      await delay(READY_POLL_MS);
    }
    const said = lastWords(logFile.tail());
    return new PartFailedError(
      spec.name,
      crashedOut ? `it ended ${starts} times while starting: ${said}` : `it was not ready in time: ${said}`,
      `The whole story is in ${spec.name}.log in the folder logs of the data directory.`,
    );
  }
}

/** Whether a GET of this URL is answered with a status that `accept` likes; default 200. */
export async function answers(
  url: string,
  accept: (status: number) => boolean = (status) => status === 200,
): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return accept(response.status);
}

/** The line that most likely says what went wrong: the last that names an error, else the last. */
function lastWords(lines: string[]): string {
  const own = lines.filter((line) => line.trim() !== '' && !line.startsWith(SUPERVISOR_PREFIX));
  return (
    own.findLast((line) => /\b\w*(error|fatal)\b/i.test(line) && !/^\s+at /.test(line)) ??
    own.at(-1) ??
    'it said nothing'
  );
}
