/**
 * The scaffold that every built-in service stands on: JSON over `node:http`, errors in the form that the services'
 * contract knows (`{detail}`), `/health`, and an AbortSignal for each request.
 *
 * A service is a table of routes; nothing here knows what a route does.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { HealthAnswer, ServiceName } from '../../schema.ts';

/** Largest request body that a service reads unless it sets its own limit. */
const DEFAULT_BODY_LIMIT_BYTES = 8 * 1024 * 1024;
/** Limit for services that take audio as base64: 50 MB of audio is 67 MB of text. */
export const AUDIO_BODY_LIMIT_BYTES = 80 * 1024 * 1024;
/** How long a request may take to arrive in full. */
const REQUEST_TIMEOUT_MS = 120_000;
/** How long a service that was told to stop waits for its connections before it cuts them. */
const SHUTDOWN_GRACE_MS = 1_500;
/** Longest error text that leaves a service. */
const MAX_DETAIL_LENGTH = 500;
/** Longest piece of a faulty input that is repeated in a 422. */
const MAX_ECHOED_INPUT_LENGTH = 200;

/** An error with an HTTP status: thrown by a handler, answered as `{detail, code, hint}`. */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  /** What to do next, in a sentence. */
  readonly hint: string | undefined;
  /** Seconds for a `Retry-After` header. */
  readonly retryAfterSec: number | undefined;
  /** Further members of the error's body. */
  readonly extra: Record<string, unknown>;

  constructor(
    message: string,
    options: {
      status?: number;
      code?: string;
      hint?: string;
      retryAfterSec?: number;
      extra?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.status = options.status ?? 500;
    this.code = options.code;
    this.hint = options.hint;
    this.retryAfterSec = options.retryAfterSec;
    this.extra = options.extra ?? {};
  }
}

/** What a handler gets. `signal` fires when the client goes away before the answer is finished. */
export type ServiceRequest = {
  body: unknown;
  signal: AbortSignal;
  request: IncomingMessage;
  response: ServerResponse;
};

/** Answers with a JSON value, or with undefined when it wrote the response itself (as an event stream does). */
export type ServiceHandler = (request: ServiceRequest) => unknown;

export type ServiceOptions = {
  service: ServiceName;
  version: string;
  /** Keys are `METHOD /path`. */
  routes: Record<string, ServiceHandler>;
  bodyLimitBytes?: number;
  /** Told of each failed request whose cause is the service's own (status 500), for a log. Default: one line on stderr. */
  onError?: (error: unknown) => void;
};

type ErrorAnswer = { status: number; body: Record<string, unknown>; headers?: Record<string, string> };

/**
 * Makes an HTTP server (not yet listening) from a table of routes. `GET /health` is built in. A body that is no JSON or
 * that a zod schema refuses is a 422, a `ServiceError` its own status, an unknown path 404, a known one with another
 * method 405, and anything else a 500 whose text carries no query strings and no paths of the machine. A handler that
 * parses something else than its request's body wraps the ZodError of that itself.
 */
export function createServiceServer(options: ServiceOptions): Server {
  const health: HealthAnswer = { status: 'ok', service: options.service, version: options.version };
  const routes = new Map<string, ServiceHandler>(Object.entries(options.routes));
  routes.set('GET /health', () => health);
  const paths = new Set([...routes.keys()].map((key) => key.slice(key.indexOf(' ') + 1)));
  const limit = options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES;
  const report = options.onError ?? ((error) => logFailure(options.service, error));

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const controller = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished)
        controller.abort(new ServiceError('The client closed the connection', { status: 499 }));
    });
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const handler = routes.get(`${request.method ?? 'GET'} ${path}`);
    let body: unknown;
    try {
      if (!handler) {
        const known = paths.has(path);
        throw new ServiceError(known ? 'Method Not Allowed' : 'Not Found', { status: known ? 405 : 404 });
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') body = await readJson(request, limit);
      const value = await handler({ body, signal: controller.signal, request, response });
      if (value !== undefined && !response.headersSent && !response.destroyed) sendJson(response, 200, value);
    } catch (error) {
      if (response.destroyed || controller.signal.aborted) return;
      const failure = describeFailure(error, body);
      if (failure.status === 500) report(error);
      if (response.headersSent) {
        // The status line is gone: cutting the connection is the only way left to say that this answer is not whole.
        response.destroy();
        return;
      }
      // What the client still sends of a refused body is not read; the connection ends with the answer.
      if (!request.complete) response.setHeader('connection', 'close');
      sendJson(response, failure.status, failure.body, failure.headers);
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      report(error);
      response.destroy();
    });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  return server;
}

async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const tooLarge = (): ServiceError =>
    new ServiceError(`The request body is larger than ${limit} bytes`, {
      status: 413,
      code: 'body_too_large',
      hint: 'Send less, or pass a URL instead of the data.',
    });
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidJson(cause);
  }
}

class InvalidJson extends Error {
  constructor(cause: unknown) {
    super('JSON decode error', { cause });
    this.name = 'InvalidJson';
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

function describeFailure(error: unknown, requestBody: unknown): ErrorAnswer {
  if (error instanceof InvalidJson)
    return { status: 422, body: { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'JSON decode error' }] } };
  if (error instanceof z.ZodError)
    return { status: 422, body: { detail: error.issues.map((issue) => issueToDetail(issue, requestBody)) } };
  if (error instanceof ServiceError) {
    const body: Record<string, unknown> = { ...error.extra, detail: scrubText(error.message) };
    if (error.code !== undefined) body['code'] = error.code;
    if (error.hint !== undefined) body['hint'] = scrubText(error.hint);
    const headers: Record<string, string> =
      error.retryAfterSec === undefined ? {} : { 'retry-after': String(Math.max(0, Math.ceil(error.retryAfterSec))) };
    return { status: error.status, body, headers };
  }
  return { status: 500, body: { detail: scrubText(error instanceof Error ? error.message : String(error)) } };
}

function issueToDetail(issue: z.core.$ZodIssue, requestBody: unknown): Record<string, unknown> {
  const input = valueAt(requestBody, issue.path);
  const missing = issue.code === 'invalid_type' && input === undefined;
  const detail: Record<string, unknown> = {
    type: missing ? 'missing' : issue.code,
    loc: ['body', ...issue.path.map((part) => (typeof part === 'symbol' ? part.toString() : part))],
    msg: missing ? 'Field required' : issue.message,
  };
  if (mayBeEchoed(input)) detail['input'] = input;
  return detail;
}

function mayBeEchoed(input: unknown): boolean {
  try {
    return input !== undefined && JSON.stringify(input).length <= MAX_ECHOED_INPUT_LENGTH;
  } catch {
    // What is nested very deep can be read and not be written.
    return false;
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[part];
  }
  return current;
}

/** Removes query strings of URLs (they may carry tokens) and absolute paths of the machine from a text, and cuts it. */
export function scrubText(text: string): string {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#'"<>]*)[?#][^\s'"<>]*/gi, '$1')
    .replace(/file:\/\/\/[^\s'")]+/g, '<path>')
    .replace(/(^|[\s'"(=])\/(?:[\w.@+-]+\/)+[\w.@+-]*/g, '$1<path>')
    .replace(/(^|[\s'"(=])[A-Za-z]:\\[^\s'")]+/g, '$1<path>')
    .slice(0, MAX_DETAIL_LENGTH);
}

/** An open `text/event-stream` answer. */
export type EventStream = {
  /** Writes one event; returns false once the client is gone. */
  send: (event: unknown) => boolean;
  end: () => void;
};

/** Starts an event stream: each event is `data: <JSON>` and a blank line, as the contract's streams have it. */
export function openEventStream(response: ServerResponse): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  return {
    send: (event) => {
      if (response.destroyed || response.writableEnded) return false;
      response.write(`data: ${JSON.stringify(event)}\n\n`);
      return true;
    },
    end: () => {
      if (!response.writableEnded) response.end();
    },
  };
}

function logFailure(service: string, error: unknown): void {
  const text = scrubText(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  process.stderr.write(`${JSON.stringify({ level: 'error', service, error: text })}\n`);
}

/**
 * Runs a service as a process: listens on HOST (default 127.0.0.1) and PORT (default: the service's), prints one JSON
 * line when it is ready, and on SIGTERM or SIGINT stops within two seconds. A port that is taken or not a number ends
 * the process with code 1 and one line that says what to do.
 */
export async function runService(
  server: Server,
  { service, defaultPort }: { service: ServiceName; defaultPort: number },
): Promise<void> {
  const host = process.env['HOST'] || '127.0.0.1';
  const port = Number(process.env['PORT'] || defaultPort);
  if (!Number.isInteger(port) || port < 0 || port > 65535) fail(service, 'PORT is not a port number (0 to 65535).');
  process.on('unhandledRejection', (error) => logFailure(service, error));
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'EADDRINUSE') fail(service, `Port ${port} on ${host} is taken. Stop what uses it, or set PORT.`);
    fail(service, `Cannot listen on ${host}:${port} (${code}). Set HOST and PORT to an address of this machine.`);
  }
  const address = server.address() as AddressInfo;
  const stop = (): void => {
    setTimeout(() => process.exit(0), SHUTDOWN_GRACE_MS + 300).unref();
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_GRACE_MS).unref();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ listening: true, service, port: address.port })}\n`);
}

function fail(service: string, message: string): never {
  process.stderr.write(`${service}: ${message}\n`);
  process.exit(1);
}
