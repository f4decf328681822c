/** Repeats writes that must not be lost: results, faults and receipts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ZodError } from 'zod';
import { toMashupError } from '../../schema/errors.ts';
import { isDatabaseFault } from './database-faults.ts';

/** Longest outage of the database that a write is kept for. */
const MAX_OUTAGE_MS = 600_000;
/** Longest delay between the attempts during an outage: the write should arrive before the next sweep takes the task. */
const OUTAGE_DELAY_MS = 500;
/** Delays between the attempts. */
const DELAYS_MS = [200, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000];

/**
 * Repeats a write until it succeeds: for about as long as a lease lasts, and while the database is to blame for as long as
 * `MAX_OUTAGE_MS`. It is then written as soon as the database is back.
 * @throws at once for errors that the state machine raises (typed) or that the sent data causes; otherwise the error of the
 *   last attempt, or the reason of `signal`
 */
export async function retryWrite<T>(signal: AbortSignal | undefined, write: () => Promise<T>): Promise<T> {
  const endsAt = performance.now() + MAX_OUTAGE_MS;
  for (let attempt = 0; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (toMashupError(error) !== undefined || isDataFault(error)) throw error;
      const isOutage = isDatabaseFault(error) && performance.now() < endsAt;
      if (attempt >= DELAYS_MS.length && !isOutage) throw error;
      await sleep(isOutage ? Math.min(DELAYS_MS[attempt] ?? OUTAGE_DELAY_MS, OUTAGE_DELAY_MS) : DELAYS_MS[attempt]);
      signal?.throwIfAborted();
    }
  }
}

/** Whether the data caused the error, so that no repetition helps: by its schema, or SQLSTATE classes 22, 23, 42, P0. */
function isDataFault(error: unknown): boolean {
  if (error instanceof ZodError) return true;
  return (
    typeof error === 'object' && error !== null && 'code' in error && /^(22|23|42|P0)...$/.test(String(error.code))
  );
}
