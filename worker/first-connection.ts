/** The first connection of a worker to its database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError } from '../connection/errors.ts';
import { explainConnection } from '../connection/explain.ts';
import { createBackoff } from './backoff.ts';
import { incompatibilityOf } from './compatibility.ts';
import { WorkerStartError } from './errors.ts';
import { createFailureLog } from './failure-log.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5_000;
/** SQLSTATE of a missing permission, which waiting does not resolve either. */
const NOT_GRANTED = '42501';
const NOT_GRANTED_HINT = 'DATABASE_URL must name role mashup_worker; run `mashup migrate` if the grants are missing.';
/** SQLSTATEs of a missing function, schema or table. */
const NOT_MIGRATED: ReadonlySet<string> = new Set(['42883', '3F000', '42P01']);

/**
 * Repeats `connect` until it succeeds: the database may be starting or not migrated yet.
 * @throws WorkerStartError `database_refused` for a login or a permission that is refused, the code of a ConnectionError, and
 *   a WorkerStartError of `connect`
 */
export async function connectFirst<T>(connect: () => Promise<T>, databaseUrl: string, log: Log): Promise<T> {
  const backoff = createBackoff(RETRY_MIN_MS, RETRY_MAX_MS);
  const failures = createFailureLog(log, databaseUrl);
  for (;;) {
    try {
      const connection = await connect();
      failures.recovered('the database is ready');
      return connection;
    } catch (error) {
      throwIfRefused(error, databaseUrl);
      if (NOT_MIGRATED.has(codeOf(error)))
        failures.failed('the database does not have the engine: run `mashup migrate`; waiting for it');
      else failures.failed('cannot reach the database; trying again', error);
      await sleep(backoff.next());
    }
  }
}

/** @throws WorkerStartError for an error that waiting does not resolve */
export function throwIfRefused(error: unknown, databaseUrl: string): void {
  if (error instanceof WorkerStartError) throw error;
  const incompatibility = incompatibilityOf(error);
  if (incompatibility !== undefined) throw incompatibility;
  const { hint, outlook } = explainConnection(error, databaseUrl);
  if (error instanceof ConnectionError && outlook === 'refused') {
    throw new WorkerStartError(error.code, `Cannot connect: ${errorText(error)}`, hint, error);
  }
  if (outlook === 'refused' || codeOf(error) === NOT_GRANTED) {
    const message = `The database refuses the worker: ${errorText(error)}`;
    throw new WorkerStartError('database_refused', message, outlook === 'refused' ? hint : NOT_GRANTED_HINT, error);
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
