import { mkdir } from 'node:fs/promises';

import { SERVICES } from '../schema.ts';
import { buildStudio } from './build-studio.ts';
import { LocalStackError } from './errors.ts';
import { ensureKeys, ensurePassword } from './keys.ts';
import { dataPaths, DEFAULT_PORT_BASE, layOutPorts, studioDir } from './layout.ts';
import type { DataPaths, Ports } from './layout.ts';
import { ensureOperator, OPERATOR_EMAIL } from './operator-account.ts';
import { apiUrl, databaseUrl, functionsSpec, functionsUrl, gatewaySpec, serviceSpec, workerSpec } from './parts.ts';
import type { StackContext } from './parts.ts';
import { checkPorts } from './port-check.ts';
import { serviceUrlFromEnv, serviceUrls } from './service-urls.ts';
import { StackRun } from './stack-run.ts';
import { lockDataDir, stopLeftovers } from './state.ts';
import type { StackInfo } from './state.ts';
import type { Part } from './supervisor/supervise.ts';

/** Parts of the stack besides the database. */
export const PARTS = ['gateway', 'functions', 'worker', ...SERVICES] as const;
/** The name of a part. */
export type PartName = (typeof PARTS)[number];

/** Options of `startStack`. */
export interface StartStackOptions {
  /** Default: MASHUP_DATA_DIR or `.mashup` in the checkout. */
  dataDir?: string;
  /** Default 54320; 0 selects free ports. */
  portBase?: number;
  /** Start only these parts. The database is always started. */
  only?: readonly PartName[];
  /** Settings of Postgres, e.g. `{ fsync: 'off' }` for tests. */
  postgresSettings?: Record<string, string>;
  /** Receives one short line for each event. */
  log?: (line: string) => void;
  /** Interrupts the start: running parts are stopped and the start fails. */
  signal?: AbortSignal;
}

/** A running stack. */
export interface Stack {
  info: StackInfo;
  /** For tests and the gateway. Everything else uses `info.dbUrl`. */
  superuserUrl: string;
  parts: Part[];
  /** Process id of the running Postgres server. */
  databasePid(): number | undefined;
  /** Stops everything in order: worker, functions, services, gateway, Postgres. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the local stack on a data directory: Postgres with roles, schemas and migrations, gateway, edge functions, the
 * built-in services that no `*_API_URL` replaces, and one worker. Parts that crash are started again until `stop`.
 * @throws AlreadyRunningError, PortTakenError, PartFailedError, PostgresStartError, MigrateError; nothing is left running
 */
export async function startStack(options: StartStackOptions = {}): Promise<Stack> {
  const paths = dataPaths(options.dataDir);
  const ports = await layOutPorts(options.portBase ?? DEFAULT_PORT_BASE);

  // Other users may pass through but not list: if this process is root, the database runs as another user.
  await mkdir(paths.home, { recursive: true, mode: 0o711 });
  await lockDataDir(paths, { apiUrl: apiUrl(ports), dbUrl: databaseUrl(ports) });
  const log = options.log ?? (() => {});
  const run = new StackRun(paths, log, options.signal);
  try {
    for (const name of await stopLeftovers(paths)) log(`stopped ${name}, left behind by a killed stack`);
    const wanted = wantedParts(options.only);
    await checkPorts(paths, ports, wanted);
    return await startParts(run, { paths, ports, wanted }, { ...options, log });
  } catch (error) {
    await run.stop();
    if (options.signal?.aborted === true) {
      throw new LocalStackError('interrupted', 'the start was interrupted', 'Nothing is left running.', error);
    }
    throw error;
  }
}

/** The requested parts, without the services that a `*_API_URL` replaces. */
function wantedParts(only: readonly PartName[] = PARTS): Set<PartName> {
  const wanted = new Set<PartName>(only);
  for (const service of SERVICES) if (serviceUrlFromEnv(service) !== undefined) wanted.delete(service);
  return wanted;
}

/** Where the stack runs and what of it. */
interface StackPlan {
  paths: DataPaths;
  ports: Ports;
  wanted: ReadonlySet<PartName>;
}

/** Starts the parts, each as soon as what it needs is ready. */
async function startParts(
  run: StackRun,
  { paths, ports, wanted }: StackPlan,
  options: StartStackOptions & { log: (line: string) => void },
): Promise<Stack> {
  await mkdir(paths.storage, { recursive: true, mode: 0o700 });
  const [keys, workerPassword, operatorPassword] = await Promise.all([
    ensureKeys(paths.keys),
    ensurePassword(paths.workerPassword),
    ensurePassword(paths.operatorPassword),
  ]);
  const context: StackContext = { paths, ports, keys, serviceUrls: serviceUrls(ports) };
  const studio = wanted.has('gateway') ? buildStudio(options.log, options.signal) : Promise.resolve();
  const info = stackInfo(context, { workerPassword, operatorPassword });
  await run.announce(info);

  // Services and functions need no database: they start at the same time.
  const services = SERVICES.filter((service) => wanted.has(service)).map((service) =>
    run.start(serviceSpec(context, service)),
  );
  const functions = wanted.has('functions') ? [run.start(functionsSpec(context, info.dbUrl))] : [];
  const database = run.startDatabase({ port: ports.database, settings: options.postgresSettings, workerPassword });
  const gateway = wanted.has('gateway')
    ? [Promise.all([database, studio]).then(([superuserUrl]) => run.start(gatewaySpec(context, superuserUrl)))]
    : [];
  const [superuserUrl] = await Promise.all([database, ...gateway, ...functions, ...services]);
  if (wanted.has('gateway')) await ensureOperator(info.apiUrl, keys.secretKey, operatorPassword);

  if (wanted.has('worker')) await run.start(workerSpec(context, { workerDbUrl: info.workerDbUrl, superuserUrl }));
  info.studioUrl = studioUrl(ports);
  await run.markReady();
  return { info, superuserUrl, parts: run.parts, databasePid: () => run.databasePid(), stop: () => run.stop() };
}

function studioUrl(ports: Ports): string | null {
  return studioDir() === undefined ? null : apiUrl(ports);
}

function stackInfo(
  { paths, ports, keys, serviceUrls: services }: StackContext,
  { workerPassword, operatorPassword }: { workerPassword: string; operatorPassword: string },
): StackInfo {
  const dbUrl = databaseUrl(ports);
  const workerDbUrl = new URL(dbUrl);
  workerDbUrl.username = 'mashup_worker';
  workerDbUrl.password = workerPassword;
  return {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    dataDir: paths.home,
    apiUrl: apiUrl(ports),
    dbUrl,
    workerDbUrl: workerDbUrl.href,
    studioUrl: studioUrl(ports),
    functionsUrl: functionsUrl(ports),
    anonKey: keys.anonKey,
    serviceRoleKey: keys.serviceRoleKey,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    operator: { email: OPERATOR_EMAIL, password: operatorPassword },
    services,
    workers: [],
  };
}
