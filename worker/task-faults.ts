/** Turns any error of an attempt into a typed fault. */
import { toMashupError } from '../schema/errors.ts';
import { TaskError } from './errors.ts';
import { errorText } from './redact.ts';

/**
 * Returns any error as the fault of an attempt. Connection losses are `database_unavailable`; unexpected errors are
 * `internal_error`. Both are transient.
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
  if (isConnectionLoss(error)) {
    return new TaskError(`The database was not available: ${errorText(error)}`, {
      code: 'database_unavailable',
      hint: 'It is retried automatically.',
      faultClass: 'transient',
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

/**
 * Whether the connection failed and not the statement: SQLSTATE classes 08 and 57P, socket errors, and the messages of pg and
 * of the socket watchdog.
 */
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(08|57P|ECONN|EPIPE|ETIMEDOUT)/.test(code) ||
    /connection (terminated|timeout)|trying to connect|did not respond/i.test(error.message)
  );
}
