/** The typed error of the edge functions, and its response body. */
import type { ErrorBody } from '../../../schema/api.ts';

/** An error response: its HTTP status, and what its body says. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly details: string | null;
  /** Seconds after which the client may try again; sent as `Retry-After`. */
  readonly retryAfterSec: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { hint: string; details?: string | null; retryAfterSec?: number; cause?: unknown },
  ) {
    super(message, { cause: more.cause });
    this.status = status;
    this.code = code;
    this.hint = more.hint;
    this.details = more.details ?? null;
    this.retryAfterSec = more.retryAfterSec;
  }

  /** The body that every error response has. */
  toBody(): ErrorBody {
    return { error: this.message, code: this.code, hint: this.hint, details: this.details };
  }
}
