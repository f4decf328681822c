/** Log of the services: lines of JSON on standard error, without secrets and paths of this machine. */
import type { Server } from 'node:http';
import type { ServiceName } from '../../schema.ts';
import { createLogger } from '../../telemetry/log.ts';
import type { Log } from '../../telemetry/log.ts';
import { contextOf, idsOf, runIn, withIds } from '../../telemetry/trace.ts';
import { scrubText } from './scrub.ts';
import { HEALTH_PATHS } from './trace.ts';

/** Creates the log of a service. */
export function createServiceLog(service: ServiceName): Log {
  return createLogger({
    service,
    format: 'json',
    clean: scrubText,
    write: (line) => process.stderr.write(`${line}\n`),
  });
}

/** Logs an error, with the trace and the ids of the request in which it occurred. */
export function logError(service: ServiceName, error: unknown): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  createServiceLog(service)('error', 'an unexpected error occurred', { error: text });
}

/** Logs one line for each request when its response has ended, except requests for health. */
export function logRequests(server: Server, service: ServiceName): void {
  const log = createServiceLog(service);
  server.prependListener('request', (request, response) => {
    const path = request.url?.split('?')[0] ?? '/';
    if (HEALTH_PATHS.has(path)) return;
    const startedAt = performance.now();
    const { baggage, traceparent } = request.headers;
    const caller = withIds(contextOf(textOf(traceparent)), idsOf(textOf(baggage)));
    response.once('close', () => {
      const { statusCode: status, writableFinished } = response;
      const fields = {
        method: request.method,
        path,
        status,
        seconds: Math.round(performance.now() - startedAt) / 1000,
        ...(writableFinished ? {} : { aborted: true }),
      };
      runIn(caller, () => log(status >= 500 ? 'error' : status >= 400 ? 'warn' : 'info', 'request', fields));
    });
  });
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
