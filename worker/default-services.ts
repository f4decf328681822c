/** The services that have no URL: they must run at their default addresses when the worker starts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_DEFAULTS } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { WorkerStartError } from './errors.ts';
import type { Log } from './log.ts';
import { joinUrl } from './services/http.ts';

/** Services may be starting at the same time. */
const DEFAULT_LIMIT_MS = 15_000;
const RETRY_MS = 250;
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Waits until each of the services responds, whatever its answer. A URL that was set is not checked: tasks of a service that is
 * down wait for it.
 * @throws WorkerStartError `services_missing` for services that do not respond in time
 */
export async function requireDefaultServices(
  services: readonly ServiceName[],
  urls: Record<ServiceName, string>,
  log: Log,
  limitMs = DEFAULT_LIMIT_MS,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  let silent = await findSilent(services, urls);
  if (silent.length > 0) log('info', 'waiting for services', { services: silent.join(', '), seconds: limitMs / 1000 });
  while (silent.length > 0) {
    if (performance.now() >= deadline) throw servicesMissing(silent, urls);
    await sleep(RETRY_MS);
    silent = await findSilent(silent, urls);
  }
}

async function findSilent(services: readonly ServiceName[], urls: Record<ServiceName, string>): Promise<ServiceName[]> {
  const responds = await Promise.all(services.map((service) => isResponding(urls[service])));
  return services.filter((_service, index) => !responds[index]);
}

async function isResponding(url: string): Promise<boolean> {
  try {
    const response = await fetch(joinUrl(url, '/health'), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

function servicesMissing(silent: readonly ServiceName[], urls: Record<ServiceName, string>): WorkerStartError {
  const places = silent.map((service) => `${service} (${urls[service]})`).join(', ');
  const variables = silent.map((service) => SERVICE_DEFAULTS[service].urlVariable).join(', ');
  return new WorkerStartError(
    'services_missing',
    `These services have no URL and do not respond: ${places}`,
    `Start them with \`mashup services\`, let the worker start them with \`mashup worker --with-services\`, or set ${variables}.`,
  );
}
