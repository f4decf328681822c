/** The five audio services against their contract. */
import { SERVICE_DEFAULTS, ServiceErrorBody } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { well, wrong } from './check.ts';
import type { Finding } from './check.ts';

const TIMEOUT_MS = 5_000;

/** Whether a service answers: `/health` of the built-in ones, `/openapi.json` of others. */
export async function isServiceUp(url: string): Promise<boolean> {
  for (const path of ['/health', '/openapi.json']) {
    const response = await fetch(join(url, path), { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return true;
  }
  return false;
}

/**
 * Whether a service keeps its contract, without giving it work: an empty body is refused with 422 and `{detail}`. One
 * that answers something else is another program on that port.
 */
export async function examineService(name: ServiceName, url: string): Promise<Finding> {
  const { urlVariable, path } = SERVICE_DEFAULTS[name];
  if (!(await isServiceUp(url))) {
    return wrong(name, `does not answer at ${url}`, `Start it, or set ${urlVariable} to where it runs.`);
  }
  const response = await fetch(join(url, path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'bypass-tunnel-reminder': 'true' },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.status === 422 && ServiceErrorBody.safeParse(body).success) return well(name, url);
  return wrong(
    name,
    `POST ${path} with an empty body answered ${response.status} instead of 422 with {detail}`,
    `Something else may run at ${url}: check ${urlVariable}.`,
  );
}

/** A base URL may carry a path. */
function join(base: string, path: string): string {
  return base.replace(/\/+$/, '') + path;
}
