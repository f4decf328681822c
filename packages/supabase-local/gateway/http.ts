/** One HTTP exchange, and what every service of the gateway needs to read it and to answer it. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { exposeHeaders } from './cors.ts';
import { parseJson } from './json.ts';

/** Largest JSON body that is read into memory, in bytes. Storage uploads are streamed and have the bucket's limit. */
const JSON_BODY_LIMIT = 8 * 1024 * 1024;

/** A request with its reply. `path` is the raw, still encoded path; `signal` aborts when the caller goes away. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  path: string;
  query: URLSearchParams;
  signal: AbortSignal;
}

/** An answer that ends the handling of a request: thrown anywhere below a route, written by the server. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: OutgoingHttpHeaders;
  readonly reason: string | undefined;

  constructor(status: number, body: Record<string, unknown>, headers: OutgoingHttpHeaders = {}, reason?: string) {
    super(typeof body.message === 'string' ? body.message : `refused with status ${status}`);
    this.name = 'Refusal';
    this.status = status;
    this.body = body;
    this.headers = headers;
    this.reason = reason;
  }
}

/** The answer to a call that the gateway does not speak: 501, and where to look. */
export function notImplemented(what: string): Refusal {
  const message = `The local gateway does not implement ${what}`;
  const hint = 'docs/gateway.md lists the calls it speaks. Use Supabase itself for the others.';
  return new Refusal(501, { code: 'NOT_IMPLEMENTED', message, details: null, hint, error: message });
}

/** Wraps a request and its response; the query is parsed, the path is left as it came. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const [path = '/', ...rest] = (request.url ?? '/').split('?');
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller closed the connection'));
  });
  return {
    request,
    response,
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(rest.join('?')),
    signal: gone.signal,
  };
}

/** First value of a header, or undefined. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Decodes one piece of a path; a broken escape is refused with 400. */
export function decodePath(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    throw new Refusal(400, { message: 'The path of the request has a broken percent escape' });
  }
}

/** The whole body as a buffer. Over `limit` bytes: 413. */
export async function readBody(exchange: Exchange, limit = JSON_BODY_LIMIT): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Refusal(413, { message: `The body is larger than ${limit} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body as parsed JSON; an empty body is `{}`. Not JSON: the refusal that `refuse` makes. */
export async function readJson(exchange: Exchange, refuse: () => Error): Promise<unknown> {
  const text = (await readBody(exchange)).toString('utf8');
  if (text.trim() === '') return {};
  try {
    return parseJson(text);
  } catch {
    throw refuse();
  }
}

/** A reason phrase as it may be written. */
export function legible(reason: string | undefined): string {
  return (reason ?? '').replace(/[^\x20-\x7e]+/g, ' ');
}

/** Writes status, headers and a complete body; a HEAD request gets the same headers and no body. */
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
  if (reason) response.writeHead(status, legible(reason), { ...length, ...headers });
  else response.writeHead(status, { ...length, ...headers });
  if (method === 'HEAD' || status === 204 || status === 304) response.end();
  else response.end(bytes);
}

/** Writes a JSON body. */
export function sendJson(exchange: Exchange, status: number, body: unknown, headers: OutgoingHttpHeaders = {}): void {
  send(exchange, status, { 'content-type': 'application/json; charset=utf-8', ...headers }, JSON.stringify(body));
}

/** Writes a refusal as the service that made it wants it. */
export function sendRefusal(exchange: Exchange, refusal: Refusal): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', ...refusal.headers };
  send(exchange, refusal.status, headers, JSON.stringify(refusal.body), refusal.reason);
}
