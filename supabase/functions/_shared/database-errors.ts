/** Maps errors of the database to error responses. */
import { toMashupError } from '../../../schema/errors.ts';
import type { MashupError, MashupErrorCode } from '../../../schema/errors.ts';
import { ApiError } from './api-error.ts';

const STATUS: Record<MashupErrorCode, number> = {
  illegal_transition: 409,
  job_not_found: 404,
  missing_input: 409,
  queue_full: 429,
  idempotency_conflict: 409,
  invalid_request: 400,
  upload_missing: 404,
  not_a_draft: 409,
  sign_in_required: 401,
  row_too_large: 413,
  rate_limited: 429,
  worker_too_old: 409,
  database_too_old: 409,
  taken_down: 409,
  sharing_disabled: 403,
};

/** The contract's texts for errors that the database finds. For other errors the message itself is sent. */
const CONTRACT_TEXTS: Record<string, { status: number; error: string }> = {
  too_few_songs: { status: 400, error: 'Insufficient songs' },
  too_many_songs: { status: 400, error: 'Too many songs' },
  invalid_song: { status: 400, error: 'Invalid song data' },
  invalid_stems: { status: 400, error: 'Invalid stems' },
  audio_too_large: { status: 413, error: 'File too large (max 50MB)' },
  invalid_edits: { status: 400, error: 'Invalid edits' },
  plan_outdated: { status: 409, error: 'The mashup has another plan by now' },
  job_not_found: { status: 404, error: 'Job not found' },
  sign_in_required: { status: 401, error: 'Sign in required' },
  queue_full: { status: 429, error: 'System at capacity' },
};

const DEFAULT_RETRY_SEC = 60;

interface RpcError {
  code: string;
  message: string;
  hint: string | null;
  details: string | null;
}

/**
 * The error response for an error of an RPC call.
 * @param status HTTP status of the database's API; 0 if there was no response
 * @param failure text for an unexpected error
 */
export function toApiError(error: RpcError, status: number, failure: string): ApiError {
  const known = toMashupError(error);
  if (known !== undefined) return fromMashupError(known);
  if (status === 401 || error.code === 'PGRST301' || error.code === 'PGRST303') {
    return new ApiError(401, 'sign_in_required', 'Sign in required', {
      hint: 'Sign in again.',
      details: 'The session is no longer valid.',
    });
  }
  if (status === 0 || status === 502 || status === 503 || status === 504) {
    return new ApiError(503, 'database_unreachable', failure, {
      hint: 'Try again in a few seconds.',
      details: 'The database cannot be reached.',
      retryAfterSec: 5,
      cause: error,
    });
  }
  // A violated check constraint (23514) or a data exception (class 22) is an error of the request.
  if (error.code === '23514' || /^22/.test(error.code)) {
    return new ApiError(400, 'invalid_request', failure, {
      hint: 'Shorten names, wishes and options, and leave out control characters.',
      details: 'A value is too long or has an invalid form.',
      cause: error,
    });
  }
  console.error(failure, error.code, error.message);
  return new ApiError(500, 'internal_error', failure, {
    hint: 'Try again. If it happens again, contact the operator.',
    cause: error,
  });
}

function fromMashupError(error: MashupError): ApiError {
  const waits = error.code === 'queue_full' || error.code === 'rate_limited';
  const code = waits ? error.code : error.detail || error.code;
  const text = CONTRACT_TEXTS[code];
  return new ApiError(text?.status ?? STATUS[error.code], code, text?.error ?? error.message, {
    hint: error.hint,
    details: error.message,
    retryAfterSec: waits ? Number(error.detail) || DEFAULT_RETRY_SEC : undefined,
    cause: error,
  });
}
