/** The Hono application that each of the five services builds on, and its HTTP server. */
import { getRequestListener } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { createServer, type Server } from 'node:http';
import type { z } from 'zod';
import type { HealthResponse, ServiceName } from '../../schema.ts';
import { requireAccess } from './access.ts';
import { errorResponse, InvalidBodyError, ServiceError } from './errors.ts';
import { logError } from './log.ts';
import { traceRequests } from './trace.ts';

/** Largest request body of a service that sets no limit of its own. */
const DEFAULT_BODY_LIMIT_BYTES = 8 * 1024 * 1024;
/** Limit of services that accept audio as base64: 50 MB of audio are 67 MB of text. */
export const AUDIO_BODY_LIMIT_BYTES = 80 * 1024 * 1024;
/** Time within which a request must have arrived in full. */
const REQUEST_TIMEOUT_MS = 120_000;
/** A client that is busy when the server ends an idle connection would send its next request into it. Node's own 5 s are too short for that. */
const KEEP_ALIVE_MS = 75_000;
/** Status of a request whose client disconnected: for logs only, since nobody receives it. */
const CLIENT_CLOSED_REQUEST = 499;

type ServiceAppOptions = {
  service: ServiceName;
  version: string;
  /** Returns more members of the response to `GET /health`. */
  health?: () => Promise<Pick<HealthResponse, 'models'>>;
  /** Larger request bodies are rejected with 413. Default: 8 MiB. */
  bodyLimitBytes?: number;
  /** Token that requests must carry. Default: SERVICES_TOKEN of the environment, if it is set. */
  token?: string;
  /** Receives each error that became a status 500. Default: writes one line to stderr. */
  onError?: (error: unknown) => void;
};

/**
 * Creates the application of a service: `GET /health` of the contract, `GET /healthz` and `/readyz` for containers, the body
 * limit, the check of the token, traces and the contract's errors. A service is ready as soon as it listens. The service adds its own
 * routes. Unknown paths are 404, known paths with another method 405.
 */
export function createServiceApp(options: ServiceAppOptions): Hono {
  const { service, version, bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES } = options;
  const report = options.onError ?? ((error) => logError(service, error));
  const app = new Hono();

  app.use(traceRequests(service));
  app.use(requireAccess(options.token ?? (process.env.SERVICES_TOKEN || undefined)));
  app.use(bodyLimit({ maxSize: bodyLimitBytes, onError: () => rejectBody(bodyLimitBytes) }));
  app.get('/health', async (context) =>
    context.json<HealthResponse>({ status: 'ok', service, version, ...(await options.health?.()) }),
  );
  app.get('/healthz', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => context.json({ status: 'ready' }));
  app.notFound((context) => {
    const isKnown = app.routes.some(({ path, method }) => path === context.req.path && method !== 'ALL');
    return isKnown ? context.json({ detail: 'Method Not Allowed' }, 405) : context.json({ detail: 'Not Found' }, 404);
  });
  app.onError((error, context) => {
    if (context.req.raw.signal.aborted) return new Response(null, { status: CLIENT_CLOSED_REQUEST });
    const { status, body, headers } = errorResponse(error);
    if (status === 500) report(error);
    return context.json(body, status as ContentfulStatusCode, headers);
  });
  return app;
}

/** Creates the HTTP server of an application. It does not listen yet. */
export function createServiceServer(app: Hono): Server {
  // `hostname` serves requests without a Host header. The adapter also replaces the globals Request and Response by its
  // own subclasses: without that, the body limit fails on chunked bodies (@hono/node-server 2.1.9 with hono 4.13.19).
  const listener = getRequestListener(app.fetch, { hostname: 'localhost' });
  return createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }, listener);
}

/**
 * Reads a request's JSON body, whatever its Content-Type.
 * @throws InvalidBodyError if the body is not JSON or does not match the schema
 */
export async function readBody<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.infer<Schema>> {
  const body = parseJson(await context.req.text());
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw InvalidBodyError.fromIssues(parsed.error.issues, body);
  return parsed.data;
}

/** Returns a signal that fires when the client disconnects before the response is complete. Its reason is an Error. */
export function disconnectSignal(context: Context): AbortSignal {
  // Hono's own signal has a string as its reason, which would be thrown as it is.
  const controller = new AbortController();
  const { signal } = context.req.raw;
  const abort = (): void =>
    controller.abort(new ServiceError('The client closed the connection', { status: CLIENT_CLOSED_REQUEST }));
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidBodyError([{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }], cause);
  }
}

function rejectBody(limitBytes: number): never {
  throw new ServiceError(`The request body is larger than ${limitBytes} bytes`, {
    status: 413,
    code: 'body_too_large',
    hint: 'Send less, or pass a URL instead of the data.',
  });
}
