/**
 * Cross-origin rules of Auth, REST and Storage. The functions answer for themselves, as they do on Supabase: a gateway
 * that added headers there would hide a function that forgot them.
 */
import type { Exchange } from './exchange.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

const ALLOWED = [
  'authorization',
  'apikey',
  'x-client-info',
  'content-type',
  'accept-profile',
  'content-profile',
  'prefer',
  'range',
  'x-upsert',
  'cache-control',
  'x-metadata',
  'x-region',
  'x-retry-count',
  'x-supabase-api-version',
  'traceparent',
  'tracestate',
  'baggage',
].join(', ');

const EXPOSED = [
  'Content-Range',
  'Content-Location',
  'Content-Length',
  'Content-Profile',
  'Accept-Ranges',
  'ETag',
  'Location',
  'Retry-After',
  'Range-Unit',
  'X-Supabase-Api-Version',
  'X-Total-Count',
  'Link',
  'x-sb-error-code',
  'sb-error-code',
  'x-relay-error',
].join(', ');

const PREFLIGHT_SECONDS = '3600';

/** Sets the headers that let a page of any origin read the answer, errors included. */
export function exposeHeaders({ response, path }: Exchange): void {
  if (path.startsWith('/functions/')) return;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', EXPOSED);
}

/** Answers a preflight. It carries no key, so this comes before any check of one. */
export function sendPreflight({ request, response }: Exchange): void {
  const requested = request.headers['access-control-request-headers'];
  response.writeHead(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': requested ? `${ALLOWED}, ${requested}` : ALLOWED,
    'access-control-max-age': PREFLIGHT_SECONDS,
    vary: 'Access-Control-Request-Headers',
  });
  response.end();
}
