/**
 * `/functions/v1/<name>…`: passed on to the Deno runner as `/<name>…`, both bodies streamed. As on Supabase no CORS headers
 * are added: the function answers OPTIONS and sets its own.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { sanitizeReason, HttpError } from './http.ts';
import type { Exchange } from './exchange.ts';

/** Headers of one connection, which are not passed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
];

/** Node reads any three digits as a status and writes these and higher ones. */
const LOWEST_STATUS = 100;

function unknownFunction(): HttpError {
  const body = { code: 'NOT_FOUND', message: 'Requested function was not found' };
  return new HttpError(404, body, { 'sb-error-code': 'NOT_FOUND' });
}

function notRunning(): HttpError {
  const body = { code: 'BOOT_ERROR', message: 'Function failed to start (please check logs)' };
  return new HttpError(503, body, { 'sb-error-code': 'BOOT_ERROR' });
}

function passedHeaders(message: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...message.headers };
  for (const name of HOP_BY_HOP) delete headers[name];
  return headers;
}

/** Sends the request on and the answer back. Resolves when the answer is through; the caller's going aborts upstream. */
export async function proxyFunction(upstream: string | undefined, exchange: Exchange, path: string): Promise<void> {
  if (!/^\/[\w-]+(\/|$)/.test(path)) throw unknownFunction();
  if (upstream === undefined) throw notRunning();
  const { request, response, signal } = exchange;
  const query = request.url?.includes('?') ? request.url.slice(request.url.indexOf('?')) : '';
  const target = new URL(upstream);
  const headers = { ...passedHeaders(request), host: request.headers.host, 'x-forwarded-host': request.headers.host };
  await new Promise<void>((resolve, reject) => {
    const forwarded = httpRequest(
      { host: target.hostname, port: target.port, method: exchange.method, path: `${path}${query}`, headers, signal },
      (answer) => {
        const { statusCode = 0 } = answer;
        if (statusCode < LOWEST_STATUS) return void forwarded.destroy(new Error('no status of HTTP'));
        response.writeHead(statusCode, sanitizeReason(answer.statusMessage), passedHeaders(answer));
        response.flushHeaders();
        answer.pipe(response);
        // What a function leaves unread of a body would stand before the next request of the caller's connection.
        answer.on('close', () => {
          request.unpipe(forwarded).resume();
          forwarded.destroy();
        });
        // An answer that breaks off must break off here as well, or half of it would pass for all of it.
        answer.on('error', () => response.destroy());
        response.on('close', resolve);
      },
    );
    forwarded.on('error', () => {
      if (!response.headersSent && !signal.aborted) return reject(notRunning());
      response.destroy();
      resolve();
    });
    // A runner that changes the protocol is hung up on without a word.
    forwarded.on('close', () => {
      if (!response.headersSent) reject(notRunning());
    });
    request.on('error', () => forwarded.destroy());
    request.pipe(forwarded);
  });
}
