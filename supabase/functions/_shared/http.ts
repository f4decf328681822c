/** What all edge functions share over HTTP: CORS and error responses. */
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { ApiError } from './api-error.ts';

const ALLOWED_HEADERS = [
  'authorization',
  'x-client-info',
  'apikey',
  'content-type',
  'idempotency-key',
  'x-region',
  'traceparent',
  'tracestate',
  'baggage',
];

/** The platform adds no CORS headers. Without them a browser reports a network error instead of the response. */
export function allowCors(allowMethods: string[]): [MiddlewareHandler, MiddlewareHandler] {
  return [
    acceptPreflight,
    cors({ origin: '*', allowHeaders: ALLOWED_HEADERS, allowMethods, exposeHeaders: ['retry-after'], maxAge: 86_400 }),
  ];
}

/** The contract returns status 200 and the text `ok` to a preflight; Hono's CORS middleware returns an empty 204. */
const acceptPreflight: MiddlewareHandler = async (context, next) => {
  await next();
  if (context.req.method === 'OPTIONS') context.res = new Response('ok', { headers: context.res.headers });
};

/**
 * The response for an error. Unexpected errors are logged, and the client gets status 500 with the code `internal_error`.
 * @param failure text for an unexpected error
 * @param extend further members of the body
 */
export function toErrorResponse(
  thrown: Error,
  failure: string,
  extend?: (error: ApiError) => Record<string, unknown>,
): Response {
  const error = thrown instanceof ApiError ? thrown : unexpectedError(thrown, failure);
  const headers: HeadersInit = error.retryAfterSec === undefined ? {} : { 'retry-after': String(error.retryAfterSec) };
  return Response.json({ ...error.toBody(), ...extend?.(error) }, { status: error.status, headers });
}

function unexpectedError(thrown: Error, message: string): ApiError {
  console.error(message, thrown.stack ?? thrown.message);
  return new ApiError(500, 'internal_error', message, {
    hint: 'Try again. If it happens again, contact the operator.',
  });
}
