#!/usr/bin/env node
/**
 * Runs the existing services for real, checks them against the contract, and takes jobs through them:
 *
 *     npm run test:services -- --checkout DIR [--venv DIR]
 *     npm run test:services -- --analysis URL --processing URL --scoring URL --orchestrator URL --separation URL
 *
 * The first form makes a virtual environment from the services' own requirements; with `--venv` it is kept and used again. Each
 * service gets a job of its own, in which the other services are the built-in ones, and then all that work get one together.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { startStack } from '../local/index.ts';
import type { Stack } from '../local/index.ts';
import { freePort } from '../local/ports.ts';
import { SERVICES } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { checkService } from '../service-check/check.ts';
import {
  findServices,
  installedVersions,
  installService,
  openEnvironment,
  startService,
} from './existing-services/checkout.ts';
import type { RunningService } from './existing-services/checkout.ts';
import { runJob } from './existing-services/job.ts';
import { formatReports } from './existing-services/report.ts';
import type { ServiceReport } from './existing-services/report.ts';

const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'].map((name) => join(import.meta.dirname, '../examples', name));
/** Packages whose versions the report names. */
const NAMED_PACKAGES = [
  'fastapi',
  'uvicorn',
  'pydantic',
  'httpx',
  'supabase',
  'numpy',
  'scipy',
  'librosa',
  'soundfile',
  'torch',
  'torchaudio',
  'demucs',
];

type Urls = Partial<Record<ServiceName, string>>;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Installs and starts the services of a checkout. Adds what was seen to the reports. */
async function startCheckout(
  checkout: string,
  venv: string,
  { info }: Stack,
  reports: ServiceReport[],
): Promise<{ urls: Urls; running: RunningService[] }> {
  const environment = await openEnvironment(venv);
  const urls: Urls = {};
  const running: RunningService[] = [];
  for (const service of await findServices(checkout)) {
    say(`${service}: installing`);
    const installation = await installService(environment, checkout, service);
    const report: ServiceReport = { service, installation };
    reports.push(report);
    if (!installation.isInstalled) continue;
    say(`${service}: starting`);
    const env = { SUPABASE_URL: info.apiUrl, SUPABASE_SERVICE_ROLE_KEY: info.serviceRoleKey };
    const started = await startService(environment, checkout, service, { port: await freePort(), env });
    running.push(started);
    if (started.failure === undefined) urls[service] = started.url;
    else report.failure = started.failure;
  }
  say(`Python ${environment.version}: ${(await installedVersions(environment, NAMED_PACKAGES)).join(', ')}`);
  return { urls, running };
}

/** Checks each service and takes a job through it, then one through all whose own job was complete. */
async function tryServices(stack: Stack, urls: Urls, reports: ServiceReport[]): Promise<void> {
  const sql = postgres(stack.info.dbUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`update mashup.task_kinds set backoff_sec = 1, backoff_max_sec = 5`;
    const working: Urls = {};
    for (const [name, url] of Object.entries(urls)) {
      const service = name as ServiceName;
      const report = reports.find((one) => one.service === service) ?? { service };
      if (!reports.includes(report)) reports.push(report);
      say(`${service}: checking the contract`);
      report.rules = await checkService(service, url);
      say(`${service}: a job`);
      report.job = await runJob(stack, sql, { ...stack.info.services, [service]: url }, SONGS);
      say(`${service}: ${report.job.stage} ${report.job.error ?? ''}`);
      if (report.job.stage === 'complete') working[service] = url;
    }
    const names = Object.keys(working);
    if (names.length < 2) return;
    const together = await runJob(stack, sql, { ...stack.info.services, ...working }, SONGS);
    say(`${names.join(', ')} together: ${together.stage} ${together.error ?? ''} ${together.warnings.join(' ')}`);
  } finally {
    await sql.end();
  }
}

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { checkout: text, venv: text, ...Object.fromEntries(SERVICES.map((service) => [service, text])) },
});
const given = values as Record<string, string | undefined>;
const urls: Urls = Object.fromEntries(SERVICES.flatMap((name) => (given[name] ? [[name, given[name]]] : [])));
if (given['checkout'] === undefined && Object.keys(urls).length === 0) {
  process.stderr.write('Give --checkout DIR, or the URL of at least one service: --analysis URL.\n');
  process.exit(2);
}
// The stack runs the built-in services, whatever the environment names.
for (const service of SERVICES) delete process.env[`${service.toUpperCase()}_API_URL`];
const folder = await mkdtemp(join(tmpdir(), 'mashup-services-'));
const stack = await startStack({
  dataDir: join(folder, 'stack'),
  portBase: 0,
  only: ['gateway', 'functions', ...SERVICES],
  postgresSettings: { fsync: 'off' },
});
const reports: ServiceReport[] = [];
let running: RunningService[] = [];
try {
  if (given['checkout'] !== undefined) {
    const venv = resolve(given['venv'] ?? join(folder, 'venv'));
    const started = await startCheckout(resolve(given['checkout']), venv, stack, reports);
    running = started.running;
    Object.assign(urls, started.urls);
  }
  await tryServices(stack, urls, reports);
} finally {
  for (const service of running) service.stop();
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}
say(formatReports(reports));
