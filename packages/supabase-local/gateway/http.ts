/** Reading requests and writing responses, for every service of the gateway. */
import type { OutgoingHttpHeaders } from 'node:http';
import { exposeHeaders } from './cors.ts';
import type { Exchange } from './exchange.ts';
import { parseJson } from './json.ts';

/** Largest JSON body that is read into memory, in bytes. Storage uploads are streamed and have the bucket's limit. */
const JSON_BODY_LIMIT = 8 * 1024 * 1024;

/** Where the README lists the calls. Part of the 501 responses. */
export const CALLS_HINT =
  'packages/supabase-local/README.md lists the supported calls. Use Supabase itself for others.';

/** An error with its HTTP response. It may be thrown anywhere below a route; the server writes the response. */
export class HttpError extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: OutgoingHttpHeaders;
  readonly reason: string | undefined;

  constructor(status: number, body: Record<string, unknown>, headers: OutgoingHttpHeaders = {}, reason?: string) {
    super(typeof body.message === 'string' ? body.message : `status ${status}`);
    this.name = 'HttpError';
    this.status = status;
    this.body = body;
    this.headers = headers;
    this.reason = reason;
  }
}

/** Creates the 501 for a call that the gateway does not implement. */
export function notImplemented(what: string): HttpError {
  const message = `The local gateway does not implement ${what}`;
  return new HttpError(501, { code: 'NOT_IMPLEMENTED', message, details: null, hint: CALLS_HINT, error: message });
}

/**
 * Decodes one segment of a path.
 * @throws HttpError 400 for an invalid percent escape
 */
export function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, { message: 'The path of the request has an invalid percent escape' });
  }
}

/**
 * Reads the whole body into memory.
 * @throws HttpError 413 for a body larger than `limit` bytes
 */
export async function readBody(exchange: Exchange, limit = JSON_BODY_LIMIT): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new HttpError(413, { message: `The body is larger than ${limit} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads the body as JSON. An empty body is `{}`. Throws the error of `invalid` for a body that is not JSON. */
export async function readJson(exchange: Exchange, invalid: () => Error): Promise<unknown> {
  const text = (await readBody(exchange)).toString('utf8');
  if (text.trim() === '') return {};
  try {
    return parseJson(text);
  } catch {
    throw invalid();
  }
}

/** Removes the characters from a reason phrase that Node refuses to write. */
export function sanitizeReason(reason: string | undefined): string {
  return (reason ?? '').replace(/[^\x20-\x7e]+/g, ' ');
}

/** Writes status, headers and a complete body. A HEAD request gets the same headers and no body. */
export function send(
  exchange: Exchange,
  status: number,
  headers: OutgoingHttpHeaders = {},
  body: string | Buffer = '',
  reason?: string,
): void {
  const { response, method } = exchange;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  exposeHeaders(exchange);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const length = status === 204 || status === 304 || method === 'HEAD' ? {} : { 'content-length': bytes.length };
  if (reason) response.writeHead(status, sanitizeReason(reason), { ...length, ...headers });
  else response.writeHead(status, { ...length, ...headers });
  if (method === 'HEAD' || status === 204 || status === 304) response.end();
  else response.end(bytes);
}

/** Writes a JSON body. */
export function sendJson(exchange: Exchange, status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(exchange, status, { 'content-type': 'application/json; charset=utf-8', ...headers }, JSON.stringify(body));
}

/** Writes the response of an error. */
export function sendError(exchange: Exchange, error: HttpError): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', ...error.headers };
  send(exchange, error.status, headers, JSON.stringify(error.body), error.reason);
}
