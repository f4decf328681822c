/** Asks services for their health now and then, so that one that nobody calls is not taken to be there. */
import type { CircuitName } from '../schema.ts';
import { reportServiceCheck, servicesToCheck } from './database/service-checks-api.ts';
import { TaskError } from './errors.ts';
import { repeat } from './periodic.ts';
import { redact } from './redact.ts';
import { checkAnswering } from './services/answering.ts';
import type { WorkerContext } from './tasks/context.ts';

/** Checks what is due at once and then periodically. The database says what is due. Returns a function that ends it. */
export function watchServices(worker: WorkerContext): () => void {
  const stop = new AbortController();
  const check = async (service: CircuitName): Promise<void> => {
    const error = await findFault(worker, service, stop.signal);
    if (!stop.signal.aborted) await reportServiceCheck(worker.db, service, error);
  };
  const watch = async (): Promise<void> => {
    await Promise.all((await servicesToCheck(worker.db)).map(check));
  };
  const end = repeat(worker.limits.servicesIntervalMs, worker.log, 'the watch of the services', watch, {
    atOnce: true,
  });
  return () => {
    end();
    stop.abort();
  };
}

/** Returns why a service, or Storage, does not answer; undefined if it does. */
async function findFault(
  { serviceTokens, serviceUrls, storage }: WorkerContext,
  service: CircuitName,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    if (service === 'storage') await storage.check();
    else await checkAnswering(service, serviceUrls[service], { signal, token: serviceTokens[service] });
    return undefined;
  } catch (error) {
    // Storage that refuses the key, or has no bucket, has answered.
    return error instanceof TaskError && error.faultClass === 'unavailable' ? redact(error.message) : undefined;
  }
}
