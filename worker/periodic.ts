/** Periodic work and time limits of the worker process. */
import type { Log } from './log.ts';
import { errorText } from './redact.ts';

/**
 * Runs `work` repeatedly, one run at a time. A failure is logged once until a run succeeds.
 * @returns a function that stops it
 */
export function repeat(everyMs: number, log: Log, failureMessage: string, work: () => Promise<void>): () => void {
  let isRunning = false;
  let hasFailed = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    work()
      .then(
        () => (hasFailed = false),
        (error: unknown) => {
          if (!hasFailed) log('warn', failureMessage, { error: errorText(error) });
          hasFailed = true;
        },
      )
      .finally(() => (isRunning = false));
  }, everyMs);
  return () => clearInterval(timer);
}

/** Resolves with the work's result. @throws when it takes longer than `ms`; the work continues */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
