import { mkdir } from 'node:fs/promises';

import { LOCAL_PASSWORD } from '@mashup-engine/supabase-local/bootstrap';
import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { buildStudio } from './build-studio.ts';
import { LocalStackError } from './errors.ts';
import { ensureKeys, ensurePassword } from './keys.ts';
import { dataPaths, DEFAULT_PORT_BASE, layOutPorts, studioDir } from './layout.ts';
import type { DataPaths, Ports } from './layout.ts';
import { apiUrl, functionsSpec, functionsUrl, gatewaySpec, serviceSpec, workerSpec } from './parts.ts';
import type { StackContext } from './parts.ts';
import { assertPortFree, LOOPBACK } from './ports.ts';
import { findPostgres } from './postgres/launcher.ts';
import { StackRun } from './stack-run.ts';
import { lockDataDir, stopLeftovers } from './state.ts';
import type { StackInfo } from './state.ts';
import type { Part } from './supervisor/supervise.ts';

/** Parts beside the database. */
export const PARTS = ['gateway', 'functions', 'worker', ...SERVICES] as const;
export type PartName = (typeof PARTS)[number];

export interface StartStackOptions {
  /** Default: MASHUP_DATA_DIR or `.mashup` in the checkout. */
  dataDir?: string;
  /** Default 54320; 0 takes free ports. */
  portBase?: number;
  /** Start these parts only (the database always). */
  only?: readonly PartName[];
  /** Settings of Postgres, e.g. `{ fsync: 'off' }` for tests. */
  postgresSettings?: Record<string, string>;
  /** Told what happens, one short line each. */
  log?: (line: string) => void;
  /** Ends the start early: what runs already is stopped and the start fails. */
  signal?: AbortSignal;
}

export interface Stack {
  info: StackInfo;
  /** For tests and the gateway; everything else uses `info.dbUrl`. */
  superuserUrl: string;
  parts: Part[];
  /** Process id of the Postgres server that runs now. */
  databasePid(): number | undefined;
  /** Stops everything in order: worker, functions, services, gateway, Postgres. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Brings up the local stack on a data directory: Postgres with roles, schemas and migrations, gateway, edge functions,
 * the built-in services that no `*_API_URL` replaces, and one worker. Parts that crash are started again until `stop`.
 * @throws AlreadyRunningError, PortTakenError, PartFailedError, PostgresStartError, MigrateError; nothing is left running
 */
export async function startStack(options: StartStackOptions = {}): Promise<Stack> {
  const log = options.log ?? (() => {});
  const paths = dataPaths(options.dataDir);
  const portBase = options.portBase ?? DEFAULT_PORT_BASE;
  const ports = await layOutPorts(portBase);
  const dbUrl = `postgresql://postgres:${LOCAL_PASSWORD}@${LOOPBACK}:${ports.database}/postgres`;

  // Others may pass through, as the database's own user must when this one is root, and see nothing.
  await mkdir(paths.home, { recursive: true, mode: 0o711 });
  await lockDataDir(paths, { apiUrl: apiUrl(ports), dbUrl });
  const run = new StackRun(paths, log, options.signal);
  try {
    for (const name of await stopLeftovers(paths)) log(`stopped ${name}, left behind by a start that was killed`);
    const wanted = new Set<PartName>(options.only ?? PARTS);
    const replaced = SERVICES.filter((service) => serviceUrlFromEnv(service) !== undefined);
    for (const service of replaced) wanted.delete(service);
    await checkPorts(paths, ports, wanted);
    await mkdir(paths.storage, { recursive: true, mode: 0o700 });
    const [keys, workerPassword] = await Promise.all([ensureKeys(paths.keys), ensurePassword(paths.workerPassword)]);

    const serviceUrls = {} as Record<ServiceName, string>;
    for (const service of SERVICES) {
      serviceUrls[service] = serviceUrlFromEnv(service) ?? `http://${LOOPBACK}:${ports.services[service]}`;
    }
    const context: StackContext = { paths, ports, keys, serviceUrls };
    const studio = wanted.has('gateway') ? buildStudio(log, options.signal) : Promise.resolve();
    const info: StackInfo = {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      dataDir: paths.home,
      apiUrl: apiUrl(ports),
      dbUrl,
      workerDbUrl: `postgresql://mashup_worker:${workerPassword}@${LOOPBACK}:${ports.database}/postgres`,
      studioUrl: studioDir() === undefined ? null : apiUrl(ports),
      functionsUrl: functionsUrl(ports),
      anonKey: keys.anonKey,
      serviceRoleKey: keys.serviceRoleKey,
      publishableKey: keys.publishableKey,
      secretKey: keys.secretKey,
      services: serviceUrls,
      workers: [],
    };
    await run.announce(info);

    // What needs no database starts beside it.
    const services = SERVICES.filter((service) => wanted.has(service)).map((service) =>
      run.start(serviceSpec(context, service)),
    );
    const functions = wanted.has('functions') ? [run.start(functionsSpec(context, dbUrl))] : [];
    const database = run.startDatabase({ port: ports.database, settings: options.postgresSettings, workerPassword });
    const gateway = wanted.has('gateway')
      ? [Promise.all([database, studio]).then(([superuserUrl]) => run.start(gatewaySpec(context, superuserUrl)))]
      : [];
    const [superuserUrl] = await Promise.all([database, ...gateway, ...functions, ...services]);

    if (wanted.has('worker')) {
      await run.start(workerSpec(context, { workerDbUrl: info.workerDbUrl, superuserUrl }));
    }
    info.studioUrl = studioDir() === undefined ? null : apiUrl(ports);
    await run.markReady();
    return { info, superuserUrl, parts: run.parts, databasePid: () => run.databasePid(), stop: () => run.stop() };
  } catch (error) {
    await run.stop();
    if (options.signal?.aborted === true) {
      throw new LocalStackError('interrupted', 'the start was interrupted', 'Nothing is left running.', error);
    }
    throw error;
  }
}

/** Fails with the first port that something else has, before anything is started. */
async function checkPorts(paths: DataPaths, ports: Ports, wanted: Set<PartName>): Promise<void> {
  const base = 'Stop it, or choose other ports with --port-base (e.g. --port-base 55320).';
  if ((await findPostgres(paths.postgres))?.port !== ports.database) {
    await assertPortFree(ports.database, 'the database', base);
  }
  if (wanted.has('gateway')) await assertPortFree(ports.gateway, 'the API', base);
  if (wanted.has('functions')) await assertPortFree(ports.functions, 'the edge functions', base);
  for (const service of SERVICES) {
    if (!wanted.has(service)) continue;
    const { urlVariable } = SERVICE_DEFAULTS[service];
    const url = `http://${LOOPBACK}:${ports.services[service]}`;
    await assertPortFree(
      ports.services[service],
      `the ${service} service`,
      `If that is the ${service} service you want, set ${urlVariable}=${url}. ${base}`,
    );
  }
}

function serviceUrlFromEnv(service: ServiceName): string | undefined {
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
