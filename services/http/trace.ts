/** Runs each request of a service in the trace of its caller. */
import { SpanKind } from '@opentelemetry/api';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import type { ServiceName } from '../../schema.ts';
import { contextOf, failSpan, idsOf, runIn, startSpan, withIds } from '../../telemetry/trace.ts';

/** Paths that are asked every few seconds and make no span. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/health', '/healthz', '/readyz']);

/**
 * Starts a span for each request, below the span of the header `traceparent`. It ends with the response, also where that is a
 * stream. Ids of the header `baggage` (job, task, claim) are on each log line of the request.
 */
export function traceRequests(service: ServiceName): MiddlewareHandler {
  return async (context, next) => {
    const { method, path } = context.req;
    if (HEALTH_PATHS.has(path)) return next();
    const ids = idsOf(context.req.header('baggage'));
    const parent = withIds(contextOf(context.req.header('traceparent')), ids);
    const attributes = {
      'mashup.service': service,
      'http.request.method': method,
      'url.path': path,
      ...Object.fromEntries(Object.entries(ids).map(([name, value]) => [`mashup.${name}`, value])),
    };
    const { span, context: active } = startSpan(`${method} ${path}`, { kind: SpanKind.SERVER, parent, attributes });
    const end = (status: number): void => {
      span.setAttribute('http.response.status_code', status);
      if (status >= 500) failSpan(span, { code: String(status) });
      span.end();
    };
    const { outgoing } = (context.env ?? {}) as Partial<HttpBindings>;
    outgoing?.once('close', () => end(outgoing.statusCode));
    await runIn(active, next);
    if (outgoing === undefined) end(context.res.status);
  };
}
