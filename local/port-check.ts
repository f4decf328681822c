import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import type { DataPaths, Ports } from './layout.ts';
import { assertPortFree, LOOPBACK } from './ports.ts';
import { findPostgres } from './postgres/launcher.ts';

const HINT = 'Stop it, or choose other ports with --port-base (e.g. --port-base 55320).';

/**
 * Checks the ports of all parts before anything is started. The database port may be held by a server that runs on the same
 * data directory.
 * @throws PortTakenError for the first port that another process holds
 */
export async function checkPorts(paths: DataPaths, ports: Ports, wanted: ReadonlySet<string>): Promise<void> {
  if ((await findPostgres(paths.postgres))?.port !== ports.database) {
    await assertPortFree(ports.database, 'the database', HINT);
  }
  if (wanted.has('gateway')) await assertPortFree(ports.gateway, 'the API', HINT);
  if (wanted.has('functions')) await assertPortFree(ports.functions, 'the edge functions', HINT);
  for (const service of SERVICES) {
    if (!wanted.has(service)) continue;
    const { urlVariable } = SERVICE_DEFAULTS[service];
    const url = `http://${LOOPBACK}:${ports.services[service]}`;
    await assertPortFree(
      ports.services[service],
      `the ${service} service`,
      `If it is the ${service} service that you want to use, set ${urlVariable}=${url}. ${HINT}`,
    );
  }
}
