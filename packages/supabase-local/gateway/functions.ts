/**
 * `/functions/v1/<name>…`: a streaming proxy to the Deno runner, which serves `/<name>…`. No CORS headers are added, as on
 * hosted Supabase: a function handles OPTIONS and sets its own.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { sanitizeReason, HttpError } from './http.ts';
import type { Exchange } from './exchange.ts';

/** Headers that apply to one connection and are not forwarded (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
];

/** Node parses any three digits as a status, but writes only statuses from this one on. */
const MIN_STATUS = 100;

function unknownFunction(): HttpError {
  const body = { code: 'NOT_FOUND', message: 'Requested function was not found' };
  return new HttpError(404, body, { 'sb-error-code': 'NOT_FOUND' });
}

function notRunning(): HttpError {
  const body = { code: 'BOOT_ERROR', message: 'Function failed to start (please check logs)' };
  return new HttpError(503, body, { 'sb-error-code': 'BOOT_ERROR' });
}

function forwardedHeaders(message: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...message.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  return headers;
}

/**
 * Forwards a request to the runner and its response to the caller. Resolves when the response is complete. If the caller
 * disconnects, the forwarded request is aborted.
 * @throws HttpError 404 without a function name, 503 if the runner cannot be reached or its response is not HTTP
 */
export async function proxyFunction(upstream: string | undefined, exchange: Exchange, path: string): Promise<void> {
  if (!/^\/[\w-]+(\/|$)/.test(path)) throw unknownFunction();
  if (upstream === undefined) throw notRunning();
  const { request, response, signal } = exchange;
  const query = request.url?.includes('?') ? request.url.slice(request.url.indexOf('?')) : '';
  const target = new URL(upstream);
  const headers = {
    ...forwardedHeaders(request),
    host: request.headers.host,
    'x-forwarded-host': request.headers.host,
  };
  await new Promise<void>((resolve, reject) => {
    const forwarded = httpRequest(
      { host: target.hostname, port: target.port, method: exchange.method, path: `${path}${query}`, headers, signal },
      (upstreamResponse) => {
        const { statusCode = 0 } = upstreamResponse;
        if (statusCode < MIN_STATUS) return void forwarded.destroy(new Error('the status is not an HTTP status'));
        response.writeHead(
          statusCode,
          sanitizeReason(upstreamResponse.statusMessage),
          forwardedHeaders(upstreamResponse),
        );
        response.flushHeaders();
        upstreamResponse.pipe(response);
        // A body that the function did not read would precede the next request on the caller's connection: discard it.
        upstreamResponse.on('close', () => {
          request.unpipe(forwarded).resume();
          forwarded.destroy();
        });
        // A truncated response must also end as truncated here, or the caller would take it for a complete one.
        upstreamResponse.on('error', () => response.destroy());
        response.on('close', resolve);
      },
    );
    forwarded.on('error', () => {
      if (!response.headersSent && !signal.aborted) return reject(notRunning());
      response.destroy();
      resolve();
    });
    // Node closes the connection without an error if the runner switches protocols.
    forwarded.on('close', () => {
      if (!response.headersSent) reject(notRunning());
    });
    request.on('error', () => forwarded.destroy());
    request.pipe(forwarded);
  });
}
