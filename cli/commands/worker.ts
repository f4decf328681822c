/** `mashup worker`: runs a worker, with the built-in services if wanted. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { dataPaths, scriptPath } from '../../local/layout.ts';
import { EXIT_WITH_PARENT } from '../../local/process-part.ts';
import { readStack } from '../../local/state.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { readConfig } from '../../worker/config.ts';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { chooseServices } from '../services/choose.ts';
import { EXIT_INTERRUPTED, untilInterrupted } from '../../local/interrupt.ts';
import { startServices } from '../services/run.ts';
import type { RunningServices } from '../services/run.ts';
import { collect } from './services.ts';

/** Services that a worker starts for itself are reached by this machine only. */
const HOST = '127.0.0.1';
/** A stopping worker hands its running tasks back. Then it is killed. */
const WORKER_STOP_MS = 10_000;

interface WorkerOptions extends StackOptions {
  withServices?: boolean;
  port: string[];
}

/** Adds the command to the program. */
export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker for DATABASE_URL or the running local stack')
    .option('--with-services', 'start the built-in services as well, except those whose *_API_URL is set')
    .option('--port <name=port>', 'with --with-services: port of a service; may be repeated', collect, [])
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<WorkerOptions>();
      useRunningStack(options);
      if (options.withServices === true) return runWithServices(options.port, dataPaths(options.dataDir).models);
      if (options.port.length > 0)
        throw new CliError('bad_option', '--port needs --with-services.', 'Give both, or neither.', EXIT_USAGE);
      // It reads the environment, runs until it is stopped, and ends the process.
      await import('../../worker/main.ts');
    });
}

/** Sets missing environment variables to the values of the running stack. */
function useRunningStack(options: StackOptions): void {
  if (process.env.DATABASE_URL) return;
  const info = readStack(options.dataDir);
  if (info === undefined) return;
  process.env.DATABASE_URL = info.workerDbUrl;
  process.env.SUPABASE_URL = info.apiUrl;
  process.env.SUPABASE_SECRET_KEY = info.secretKey;
  for (const service of SERVICES) process.env[SERVICE_DEFAULTS[service].urlVariable] ||= info.services[service];
}

/** Runs the services that have no URL and a worker. Exits as the worker does. */
async function runWithServices(ports: string[], modelsDir: string): Promise<void> {
  // Before anything is started: a worker that cannot start needs no services.
  readConfig(process.env);
  const missing = SERVICES.filter((service) => !process.env[SERVICE_DEFAULTS[service].urlVariable]);
  if (missing.length === 0 && ports.length > 0)
    throw new CliError('bad_option', 'No service is started: every URL is set.', 'Omit --port.', EXIT_USAGE);
  const services = missing.length === 0 ? [] : chooseServices(missing, ports);
  const code = await untilInterrupted(async (signal) => {
    const write = (line: string): void => void process.stderr.write(`${line}\n`);
    const running = await startServices(services, { host: HOST, modelsDir, signal, write }).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (running === undefined) return EXIT_INTERRUPTED;
    try {
      return await runWorkerProcess(running, signal);
    } finally {
      await running.stop();
    }
  });
  process.exit(code);
}

/** Runs the worker until it ends; `signal` stops it. Returns its exit code. */
async function runWorkerProcess({ urls }: RunningServices, signal: AbortSignal): Promise<number> {
  const env = { ...process.env };
  for (const [service, url] of Object.entries(urls)) env[SERVICE_DEFAULTS[service as ServiceName].urlVariable] = url;
  // A process group of its own: Ctrl-C in the terminal reaches this process, which stops the worker before the services.
  const child = spawn(process.execPath, ['--import', EXIT_WITH_PARENT, scriptPath('worker/main.ts')], {
    env,
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const stop = (): void => {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), WORKER_STOP_MS).unref();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
