/** What the edge functions for signed-in users share over HTTP: the method check, authentication, the body limit and error bodies. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ApiError } from './api-error.ts';
import type { Caller } from './caller.ts';
import { allowCors, toErrorResponse } from './http.ts';

/** Default limit of a request body. No request needs a tenth of it. */
const MAX_BODY_BYTES = 64 * 1024;

/** A request after authentication, with its parsed JSON body. */
export interface FunctionCall<C extends Caller> {
  request: Request;
  caller: C;
  body: unknown;
}

export interface FunctionOptions<C extends Caller> {
  /** The contract's text for an unexpected failure. */
  failure: string;
  /** Identifies the caller, or throws an ApiError. */
  authenticate: (request: Request) => Promise<C>;
  /** Limit of the request body in bytes; 64 KiB by default. */
  maxBodyBytes?: number;
  /** Further members of this function's error bodies. */
  extendError?: (error: ApiError) => Record<string, unknown>;
}

/**
 * Creates the app of one edge function: preflight, then method, caller, body size and JSON are checked in this order.
 * Whatever `handle` returns is sent as JSON with status 200. Unexpected errors are logged, and the client gets status 500
 * with the code `internal_error`.
 */
export function createFunctionApp<C extends Caller>(
  options: FunctionOptions<C>,
  handle: (call: FunctionCall<C>) => Promise<object>,
): Hono<{ Variables: { caller: C } }> {
  const { failure, authenticate, maxBodyBytes = MAX_BODY_BYTES, extendError } = options;
  const app = new Hono<{ Variables: { caller: C } }>();
  app.use(...allowCors(['POST', 'OPTIONS']));
  app.post(
    '*',
    async (context, next) => {
      context.set('caller', await authenticate(context.req.raw));
      await next();
    },
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => {
        throw bodyTooLarge(maxBodyBytes);
      },
    }),
    async (context) => {
      const body = parseJson(await context.req.text());
      return context.json(await handle({ request: context.req.raw, caller: context.get('caller'), body }));
    },
  );
  app.all('*', (context) => {
    throw methodNotAllowed(context.req.method);
  });
  app.onError((thrown) => toErrorResponse(thrown, failure, extendError));
  return app;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, 'invalid_body', 'Invalid request body', {
      hint: 'Send a JSON object.',
      details: 'The request body is not valid JSON.',
    });
  }
}

function bodyTooLarge(maxBytes: number): ApiError {
  return new ApiError(413, 'request_too_large', 'Request too large', {
    hint: 'Upload audio to Storage and send its path; send nothing else that is large.',
    details: `The limit of a request body is ${maxBytes} bytes.`,
  });
}

function methodNotAllowed(method: string): ApiError {
  return new ApiError(405, 'method_not_allowed', 'Method not allowed', {
    hint: 'Send a POST request with a JSON body.',
    details: `${method} is not supported.`,
  });
}
