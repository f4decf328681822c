/** Frees the garbage of a service when it has nothing to do: an idle process collects none by itself. */
import type { Server } from 'node:http';
import { collectGarbage } from './collect-garbage.ts';
import { HEALTH_PATHS } from './trace.ts';

/** Requests that follow one another within this time are one piece of work. */
const IDLE_MS = 250;

/**
 * Collects the garbage of the main thread when a server has had no request for a while: that of its start, of downloads and uploads, and of
 * large messages. Requests for health do not count.
 */
export function freeMemoryWhenIdle(server: Server): void {
  let open = 0;
  const timer = setTimeout(() => {
    if (open === 0) collectGarbage();
  }, IDLE_MS).unref();
  server.prependListener('request', (request, response) => {
    if (HEALTH_PATHS.has(request.url?.split('?')[0] ?? '/')) return;
    open++;
    response.once('close', () => {
      open--;
      timer.refresh();
    });
  });
}
