/** One HTTP request with its response. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** A request with its response. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  /** The path as it was sent, still percent-encoded, without the query. */
  path: string;
  query: URLSearchParams;
  /** Aborts when the caller closes the connection before the response is complete. */
  signal: AbortSignal;
}

/** Wraps a request and its response. The query is parsed, the path is not decoded. */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const [path = '/', ...rest] = (request.url ?? '/').split('?');
  const disconnected = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) disconnected.abort(new Error('the caller closed the connection'));
  });
  return {
    request,
    response,
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(rest.join('?')),
    signal: disconnected.signal,
  };
}

/** Returns the first value of a header, or undefined. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
