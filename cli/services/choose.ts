/** Which built-in services a command starts, and on which ports. */
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';

const MAX_PORT = 65_535;

/** A built-in service and the port that it listens on. */
export interface ChosenService {
  service: ServiceName;
  port: number;
}

/**
 * Reads names and ports of services.
 * @param names names of services; none: all
 * @param ports values of `--port`: `separation=9004`, or a number if there is one service
 * @throws CliError `bad_option` for an unknown name, or a port that is not one
 */
export function chooseServices(names: readonly string[], ports: readonly string[]): ChosenService[] {
  const services = names.length === 0 ? [...SERVICES] : [...new Set(names.map(toService))];
  const given = readPorts(ports, services);
  const chosen = services.map((service) => ({ service, port: given.get(service) ?? SERVICE_DEFAULTS[service].port }));
  const shared = chosen.find(({ port }, index) => chosen.findIndex((other) => other.port === port) !== index);
  if (shared) throw bad(`Two services would listen on port ${shared.port}.`, 'Give each service a port of its own.');
  return chosen;
}

function readPorts(ports: readonly string[], services: readonly ServiceName[]): Map<ServiceName, number> {
  return new Map(
    ports.map((text) => {
      const [, name, number = ''] = /^(?:([^=]*)=)?(.*)$/.exec(text) ?? [];
      if (name === undefined && services.length !== 1)
        throw bad(`--port ${text} names no service.`, `Name it, for example --port ${services[0]}=${text}.`);
      const service = name === undefined ? services[0]! : toService(name);
      if (!services.includes(service))
        throw bad(
          `--port ${text} is for a service that is not started.`,
          'Name the service as well, or omit the port.',
        );
      const port = Number(number);
      if (number === '' || !Number.isInteger(port) || port < 1 || port > MAX_PORT)
        throw bad(`--port ${text} is not a port.`, `Give a number from 1 to ${MAX_PORT}.`);
      return [service, port];
    }),
  );
}

function toService(name: string): ServiceName {
  const service = SERVICES.find((known) => known === name);
  if (service) return service;
  throw bad(`There is no service ${JSON.stringify(name)}.`, `The services are ${SERVICES.join(', ')}.`);
}

function bad(message: string, hint: string): CliError {
  return new CliError('bad_option', message, hint, EXIT_USAGE);
}
