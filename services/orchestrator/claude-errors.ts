/** Converts errors of the Anthropic client to service errors that show whether a retry makes sense. */
import Anthropic from '@anthropic-ai/sdk';
import { ServiceError } from '../http/errors.ts';

type ApiError = InstanceType<typeof Anthropic.APIError>;

/** Wait in seconds if the API names none. */
const DEFAULT_RETRY_AFTER_SEC = 15;

/**
 * Converts an error of the Anthropic client to a ServiceError. A 4xx other than 429 fails again on a retry; 429 and 503
 * carry a wait; 502 and 504 may be retried by a caller that accepts to pay again.
 * @param timedOut whether the call ended by the service's own time limit
 */
export function claudeError(error: unknown, timedOut: boolean): ServiceError {
  if (error instanceof ServiceError) return error;
  if (timedOut)
    return new ServiceError('Claude took too long', {
      status: 504,
      code: 'claude_timeout',
      hint: 'Raise MASHUP_CLAUDE_TIMEOUT_SEC, or choose a faster model.',
      cause: error,
    });
  if (error instanceof Anthropic.APIConnectionError)
    return new ServiceError('Claude cannot be reached', {
      status: 502,
      code: 'claude_unreachable',
      hint: 'Check the network and ANTHROPIC_BASE_URL.',
      cause: error,
    });
  if (error instanceof Anthropic.APIError) return apiError(error);
  return new ServiceError('The response of Claude broke off or is not a valid stream', {
    status: 502,
    code: 'claude_stream_broken',
    cause: error,
  });
}

function apiError(error: ApiError): ServiceError {
  const { status } = error;
  const type = typeOf(error);
  if (status === 429 || type === 'rate_limit_error')
    return new ServiceError('Claude limits the rate of requests', {
      status: 429,
      code: 'claude_rate_limited',
      retryAfterSec: retryAfter(error),
      cause: error,
    });
  if (status === 529 || status === 503 || type === 'overloaded_error')
    return new ServiceError('Claude is overloaded', {
      status: 503,
      code: 'claude_overloaded',
      retryAfterSec: retryAfter(error),
      cause: error,
    });
  if (status !== undefined && status >= 400 && status < 500) return rejectedRequest(error, status, type);
  return new ServiceError(`Claude failed (${status === undefined ? type || 'in the stream' : `status ${status}`})`, {
    status: 502,
    code: 'claude_failed',
    cause: error,
  });
}

function rejectedRequest(error: ApiError, status: number, type: string): ServiceError {
  if (status === 401 || status === 403)
    return new ServiceError('Claude rejects the API key', {
      status: 403,
      code: 'claude_key_refused',
      hint: 'Check ANTHROPIC_API_KEY and its workspace.',
      cause: error,
    });
  if (status === 404)
    return new ServiceError('Claude does not know the model', {
      status: 400,
      code: 'claude_model_unknown',
      hint: 'Set MASHUP_CLAUDE_MODEL to a current model.',
      cause: error,
    });
  return new ServiceError(`Claude rejects the request (status ${status}, ${type || 'no type'})`, {
    status: 400,
    code: 'claude_request_refused',
    cause: error,
  });
}

/** Returns the seconds of the `Retry-After` header, which is a number or a date. */
function retryAfter(error: ApiError): number {
  const header = error.headers?.get('retry-after');
  const seconds = Number(header);
  if (header && Number.isFinite(seconds)) return Math.max(1, seconds);
  const until = header ? Date.parse(header) - Date.now() : NaN;
  return Number.isFinite(until) ? Math.max(1, Math.ceil(until / 1_000)) : DEFAULT_RETRY_AFTER_SEC;
}

/** Returns `error.type` of the API's body. Errors that arrive in the stream have it too, but no status. */
function typeOf(error: ApiError): string {
  const body: unknown = error.error;
  const inner = typeof body === 'object' && body !== null && 'error' in body ? body.error : body;
  return typeof inner === 'object' && inner !== null && 'type' in inner ? String(inner.type) : '';
}
