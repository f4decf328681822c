import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { LocalStackError } from './errors.ts';
import type { Ports } from './layout.ts';
import { LOOPBACK } from './ports.ts';

/**
 * Returns the URL of a service from its environment variable; undefined if the stack runs the built-in one.
 * @throws LocalStackError `bad_setting` if it is not an http or https URL
 */
export function serviceUrlFromEnv(service: ServiceName): string | undefined {
  const name = SERVICE_DEFAULTS[service].urlVariable;
  const value = process.env[name];
  if (value === undefined || value === '') return undefined;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new LocalStackError(
      'bad_setting',
      `${name} is not an http or https URL`,
      `Set it like ${name}=http://127.0.0.1:8000.`,
    );
  }
  return value;
}

/** Returns the URL of each service: from the environment, else on its loopback port. */
export function serviceUrls(ports: Ports): Record<ServiceName, string> {
  const urls = {} as Record<ServiceName, string>;
  for (const service of SERVICES) {
    urls[service] = serviceUrlFromEnv(service) ?? `http://${LOOPBACK}:${ports.services[service]}`;
  }
  return urls;
}
