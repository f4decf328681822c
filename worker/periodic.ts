/** Periodic work and time limits of the worker process. */
import type { Log } from './log.ts';
import { createFailureLog } from './failure-log.ts';

/**
 * Runs `work` repeatedly, one run at a time. Each distinct failure is logged once until a run succeeds.
 * @param name of the work, as the subject of log lines: `the sweep`
 * @param options `atOnce`: the first run begins now, not after `everyMs`
 * @returns a function that stops it
 */
export function repeat(
  everyMs: number,
  log: Log,
  name: string,
  work: () => Promise<void>,
  { atOnce = false }: { atOnce?: boolean } = {},
): () => void {
  const failures = createFailureLog(log);
  let isRunning = false;
  const run = (): void => {
    if (isRunning) return;
    isRunning = true;
    work()
      .then(
        () => failures.recovered(`${name} works again`),
        (error: unknown) => failures.failed(`${name} failed`, error),
      )
      .finally(() => (isRunning = false));
  };
  const timer = setInterval(run, everyMs);
  if (atOnce) run();
  return () => clearInterval(timer);
}

/**
 * Returns a function that runs `work`, one run at a time: calls during a run cause one more after it, since that run may not
 * have seen what they are about.
 * @param name of the work, as the subject of log lines
 */
export function onceAtATime(work: () => Promise<void>, log: Log, name: string): () => void {
  const failures = createFailureLog(log);
  let state: 'idle' | 'running' | 'again' = 'idle';
  const run = async (): Promise<void> => {
    do {
      state = 'running';
      await work().then(
        () => failures.recovered(`${name} works again`),
        (error: unknown) => failures.failed(`${name} failed`, error),
      );
    } while ((state as string) === 'again');
    state = 'idle';
  };
  return () => {
    if (state === 'idle') void run();
    else state = 'again';
  };
}

/** Resolves with the work's result. @throws when it takes longer than `ms`; the work continues */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
