/**
 * CORS headers of Auth, REST and Storage. Functions set their own, as on hosted Supabase: headers added here would hide
 * that a function lacks them.
 */
import type { Exchange } from './exchange.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Request headers that supabase-js sends. */
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

/** Response headers that pages may read. */
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

const PREFLIGHT_MAX_AGE_SEC = '3600';

/** Sets the headers that let a page of any origin read the response, including errors. */
export function exposeHeaders({ response, path }: Exchange): void {
  if (path.startsWith('/functions/')) return;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', EXPOSED);
}

/** Sends the response to a preflight request. It carries no API key, so none is required. */
export function sendPreflight({ request, response }: Exchange): void {
  const requested = request.headers['access-control-request-headers'];
  response.writeHead(204, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': requested ? `${ALLOWED}, ${requested}` : ALLOWED,
    'access-control-max-age': PREFLIGHT_MAX_AGE_SEC,
    vary: 'Access-Control-Request-Headers',
  });
  response.end();
}
