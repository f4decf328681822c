/** Answers and refusals: JSON with CORS headers, errors always in one shape. */
import type { ErrorBody } from '../../../schema/api.ts';

/** The platform adds no CORS headers: without these a browser sees a network failure instead of an answer. */
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers':
    'authorization, x-client-info, apikey, content-type, idempotency-key, x-region, traceparent, tracestate, baggage',
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-expose-headers': 'retry-after',
  'access-control-max-age': '86400',
};

/** A refusal: the status, and what its body says. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly details: string | null;
  /** Seconds after which to try again; sent as Retry-After. */
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
}

/** A JSON answer with CORS headers. */
export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { ...CORS, ...headers } });
}

function refuse(error: ApiError, extra: Record<string, unknown>): Response {
  const body: ErrorBody = { error: error.message, code: error.code, hint: error.hint, details: error.details };
  const headers = error.retryAfterSec === undefined ? undefined : { 'retry-after': String(error.retryAfterSec) };
  return answer({ ...body, ...extra }, error.status, headers);
}

export interface ServeOptions {
  /** Contract's text for a failure that nobody foresaw. */
  failure: string;
  /** Members that this function's errors carry beside the common ones. */
  extend?: (error: ApiError) => Record<string, unknown>;
}

/**
 * Serves one function: answers preflights, takes POST only, and turns whatever is thrown into an answer. What was not
 * foreseen is logged here and told to nobody.
 */
export function serve(options: ServeOptions, handle: (request: Request) => Promise<Response>): void {
  const extend = options.extend ?? (() => ({}));
  Deno.serve(async (request) => {
    if (request.method === 'OPTIONS') return new Response('ok', { headers: CORS });
    try {
      if (request.method !== 'POST') {
        throw new ApiError(405, 'method_not_allowed', 'Method not allowed', {
          hint: 'Send a POST request with a JSON body.',
          details: `${request.method} is not supported.`,
        });
      }
      return await handle(request);
    } catch (thrown) {
      const error = thrown instanceof ApiError ? thrown : unforeseen(thrown, options.failure);
      return refuse(error, extend(error));
    }
  });
}

function unforeseen(thrown: unknown, message: string): ApiError {
  console.error(message, thrown instanceof Error ? (thrown.stack ?? thrown.message) : typeof thrown);
  return new ApiError(500, 'internal_error', message, { hint: 'Try again. If it happens again, tell the operator.' });
}
