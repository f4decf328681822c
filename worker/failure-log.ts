/** Logs the failures of work that is retried: each distinct error once with its hint, and the recovery. */
import { explainConnection } from '../connection/explain.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';

export interface FailureLog {
  /** Logs a failure, unless the same one was logged since the last recovery. */
  failed(message: string, error?: unknown): void;
  /** Logs the recovery, if a failure was logged before. */
  recovered(message: string): void;
}

/**
 * Creates a log of failures.
 * @param databaseUrl the database of the work, for hints; undefined for work on other systems
 */
export function createFailureLog(log: Log, databaseUrl?: string): FailureLog {
  const logged = new Set<string>();
  let failedAt = 0;
  return {
    failed(message, error) {
      const text = error === undefined ? undefined : errorText(error);
      const key = `${message} ${text ?? ''}`;
      if (logged.size === 0) failedAt = performance.now();
      if (logged.has(key)) return;
      logged.add(key);
      const hint =
        error === undefined || databaseUrl === undefined
          ? undefined
          : explainConnection(error, databaseUrl).hint || undefined;
      log('warn', message, { error: text, hint });
    },
    recovered(message) {
      if (logged.size === 0) return;
      logged.clear();
      log('info', message, { after_sec: Math.round((performance.now() - failedAt) / 100) / 10 });
    },
  };
}
