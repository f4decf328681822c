/** Repeats writes that must not be lost: results, faults and receipts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ZodError } from 'zod';
import { toMashupError } from '../../schema/errors.ts';

/** Delays between the attempts. */
const DELAYS_MS = [200, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000];

/**
 * Repeats a write until it succeeds, for about as long as a lease lasts.
 * @throws at once for errors that the state machine raises (typed) or that the sent data causes; otherwise the error of the
 *   last attempt, or the reason of `signal`
 */
export async function retryWrite<T>(signal: AbortSignal | undefined, write: () => Promise<T>): Promise<T> {
  for (const delay of DELAYS_MS) {
    try {
      return await write();
    } catch (error) {
      if (toMashupError(error) !== undefined || isDataFault(error)) throw error;
      await sleep(delay);
      signal?.throwIfAborted();
    }
  }
  return write();
}

/** Whether the data caused the error, so that no repetition helps: by its schema, or SQLSTATE classes 22, 23, 42, P0. */
function isDataFault(error: unknown): boolean {
  if (error instanceof ZodError) return true;
  return (
    typeof error === 'object' && error !== null && 'code' in error && /^(22|23|42|P0)...$/.test(String(error.code))
  );
}
