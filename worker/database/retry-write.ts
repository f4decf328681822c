/** Writes that must get through: a result or a receipt is worth more than one try. */
import { setTimeout as sleep } from 'node:timers/promises';
import { toMashupError } from '../../schema/errors.ts';

/** A write that the database does not take at once is offered again after these. */
const RETRIES_MS = [200, 500, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000];

/**
 * Tries a write for as long as a claim can hold.
 * @throws the error that the database raised on purpose or for what was sent, at once; the last one otherwise; the
 * reason of `signal`
 */
export async function report<T>(signal: AbortSignal | undefined, write: () => Promise<T>): Promise<T> {
  for (const wait of RETRIES_MS) {
    try {
      return await write();
    } catch (error) {
      if (toMashupError(error) !== undefined || isDataFault(error)) throw error;
      await sleep(wait);
      signal?.throwIfAborted();
    }
  }
  return write();
}

/** An error that comes from what was sent, so that sending it again is no use (SQLSTATE classes 22, 23, 42, P0). */
function isDataFault(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && /^(22|23|42|P0)...$/.test(String(error.code))
  );
}
