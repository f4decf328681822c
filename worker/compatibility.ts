/** Whether a database serves this version of the worker. */
import { toMashupError } from '../schema/errors.ts';
import type { MashupErrorCode } from '../schema/errors.ts';
import { WorkerStartError } from './errors.ts';

const INCOMPATIBLE: ReadonlySet<MashupErrorCode> = new Set(['worker_too_old', 'database_too_old']);

/** Returns the error of a database that refuses the protocol of this worker; undefined for any other error. */
export function incompatibilityOf(error: unknown): WorkerStartError | undefined {
  const refusal = toMashupError(error);
  if (refusal === undefined || !INCOMPATIBLE.has(refusal.code)) return undefined;
  return new WorkerStartError(refusal.code, refusal.message.replace(/\.$/, ''), refusal.hint, error);
}
