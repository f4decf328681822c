/** Turns any error of an attempt into a typed fault. */
import { toMashupError } from '../schema/errors.ts';
import { TaskError } from './errors.ts';
import { isDatabaseFault } from './database/database-faults.ts';
import { errorText } from './redact.ts';

/**
 * Returns any error as the fault of an attempt. Faults of the database are `database_unavailable` and spend no attempt;
 * unexpected errors are `internal_error`. Both are transient.
 */
export function toTaskError(error: unknown): TaskError {
  if (error instanceof TaskError) return error;
  const raised = toMashupError(error);
  if (raised !== undefined) {
    return new TaskError(raised.message, {
      code: raised.code,
      hint: raised.hint,
      faultClass: raised.code === 'missing_input' ? 'transient' : 'permanent',
      cause: error,
    });
  }
  if (isDatabaseFault(error)) {
    return new TaskError(`The database was not available: ${errorText(error)}`, {
      code: 'database_unavailable',
      hint: 'It is retried automatically.',
      faultClass: 'transient',
      spendsAttempt: false,
      cause: error,
    });
  }
  return new TaskError(`An unexpected error occurred: ${errorText(error)}`, {
    code: 'internal_error',
    hint: 'Retry the mashup. If it fails again, the worker log has the details.',
    faultClass: 'transient',
    cause: error,
  });
}
