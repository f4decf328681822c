/** Errors that a frontend can show, with a message, a code and a hint. */
import { toMashupError } from '../../schema/errors.ts';

/** A failed call. `message` and `hint` are for users, `code` and `status` for programs. */
export class MashupClientError extends Error {
  override readonly name = 'MashupClientError';
  readonly code: string;
  readonly hint: string;
  readonly details: string | null;
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** Seconds to wait before the next try. */
  readonly retryAfterSec: number | undefined;

  constructor(
    code: string,
    message: string,
    more: { hint: string; details?: string | null; status?: number; retryAfterSec?: number; cause?: unknown },
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.hint = more.hint;
    this.details = more.details ?? null;
    this.status = more.status ?? 0;
    this.retryAfterSec = more.retryAfterSec;
  }
}

interface DatabaseRefusal {
  code?: string;
  message: string;
  hint?: string | null;
  details?: string | null;
}

/** Returns the typed error for the error of an rpc call or a query. */
export function fromDatabaseError(error: DatabaseRefusal, status = 0): MashupClientError {
  const known = toMashupError(error);
  if (known !== undefined) {
    const isLimit = known.code === 'queue_full' || known.code === 'rate_limited';
    return new MashupClientError(isLimit ? known.code : known.detail || known.code, known.message, {
      hint: known.hint,
      status,
      retryAfterSec: isLimit ? Number(known.detail) || undefined : undefined,
      cause: error,
    });
  }
  if (status === 401 || error.code === 'PGRST301' || error.code === 'PGRST303') return signInRequired(error);
  if (status === 0) return unreachable(error);
  // A data exception: its message is not for users. Postgres cannot store the character NUL (22021, 22P05).
  if (error.code?.startsWith('22')) {
    const isText = error.code === '22021' || error.code === '22P05';
    const what = isText ? 'a text with characters that cannot be stored' : 'a value that cannot be used';
    return new MashupClientError('invalid_request', `The request has ${what}.`, {
      hint: isText ? 'Leave out control characters.' : 'Check ids, numbers and dates.',
      details: error.message,
      status,
      cause: error,
    });
  }
  return new MashupClientError(error.code || 'request_failed', error.message || `The request failed (${status}).`, {
    hint: error.hint || 'Try again.',
    details: error.details,
    status,
    cause: error,
  });
}

/**
 * Returns the typed error for an error of `functions.invoke`. The message of that error is always the same; the function's own
 * error is in the response that it carries.
 */
export async function fromFunctionError(error: unknown): Promise<MashupClientError> {
  const response = responseOf(error);
  if (response === undefined) return unreachable(error);
  const body = await readBody(response);
  const text = (name: string): string | undefined => {
    const value = body[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return new MashupClientError(
    text('code') ?? 'function_failed',
    text('error') ?? text('message') ?? `The request failed (${response.status}).`,
    {
      hint: text('hint') ?? 'Try again in a few seconds.',
      details: text('details') ?? null,
      status: response.status,
      retryAfterSec: Number(response.headers.get('retry-after')) || undefined,
      cause: error,
    },
  );
}

function responseOf(error: unknown): Response | undefined {
  const context = typeof error === 'object' && error !== null && 'context' in error ? error.context : undefined;
  return context instanceof Response ? context : undefined;
}

async function readBody(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function signInRequired(cause: unknown): MashupClientError {
  return new MashupClientError('sign_in_required', 'You are not signed in.', {
    hint: 'Sign in, then try again.',
    status: 401,
    cause,
  });
}

function unreachable(cause: unknown): MashupClientError {
  return new MashupClientError('unreachable', 'The server cannot be reached.', {
    hint: 'Check the connection, then try again.',
    cause,
  });
}
