/** The first connection of a worker to its database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerStartError } from './errors.ts';
import { logChanges } from './log.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';

/** SQLSTATEs that waiting does not resolve, with the hint for each. */
const FATAL_SQLSTATES: Record<string, string> = {
  '28P01': 'Check user and password in DATABASE_URL.',
  '28000': 'Check the user in DATABASE_URL, and that the role may log in.',
  '3D000': 'Check the database name in DATABASE_URL.',
  '42501': 'DATABASE_URL must name role mashup_worker; run `mashup migrate` if the grants are missing.',
};
/** SQLSTATEs of a missing function, schema or table. */
const NOT_MIGRATED: ReadonlySet<string> = new Set(['42883', '3F000', '42P01']);

/**
 * Repeats `connect` until it succeeds: the database may be starting or not migrated yet.
 * @throws WorkerStartError `database_refused` for a login or a permission that is refused
 */
export async function connectFirst<T>(connect: () => Promise<T>, log: Log, retryMs: number): Promise<T> {
  const changes = logChanges(log);
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      const code = codeOf(error);
      const hint = FATAL_SQLSTATES[code];
      if (hint !== undefined) {
        const message = `The database refuses the worker: ${errorText(error)}`;
        throw new WorkerStartError('database_refused', message, hint, error);
      }
      changes.warn(
        NOT_MIGRATED.has(code)
          ? 'the database is not migrated; waiting for `mashup migrate`'
          : `cannot reach the database; trying again: ${errorText(error)}`,
      );
      await sleep(retryMs);
    }
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
