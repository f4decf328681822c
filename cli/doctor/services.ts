/** Checks the five audio services against their contract. */
import { SERVICE_DEFAULTS, ServiceErrorBody, serviceToken, tokenVariable } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 5_000;

/** Whether a service responds: `/health` of built-in services, `/openapi.json` of others. */
export async function isServiceUp(url: string): Promise<boolean> {
  for (const path of ['/health', '/openapi.json']) {
    const response = await fetch(join(url, path), { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return true;
  }
  return false;
}

/**
 * Checks that a service follows its contract, without starting work: it must reject an empty body with 422 and `{detail}`.
 * Another response means that another program is using the port.
 */
export async function checkService(name: ServiceName, url: string): Promise<Finding> {
  const { urlVariable, path } = SERVICE_DEFAULTS[name];
  if (!(await isServiceUp(url))) {
    return failed(name, `does not respond at ${url}`, `Start it, or set ${urlVariable} to where it runs.`);
  }
  const token = serviceToken(name, process.env);
  const response = await fetch(join(url, path), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'bypass-tunnel-reminder': 'true',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.status === 422 && ServiceErrorBody.safeParse(body).success) return passed(name, url);
  if (response.status === 401) {
    const hint = `Set SERVICES_TOKEN or ${tokenVariable(name)} to the token of the service, here and for the workers.`;
    return failed(name, 'refuses the token', hint);
  }
  return failed(
    name,
    `POST ${path} with an empty body returned ${response.status} instead of 422 with {detail}`,
    `Another program may be running at ${url}: check ${urlVariable}.`,
  );
}

/** Joins strings, because a base URL may contain a path. */
function join(base: string, path: string): string {
  return base.replace(/\/+$/, '') + path;
}
