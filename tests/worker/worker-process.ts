/** Starts workers as processes of their own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { WorkerConfig } from '../../worker/config.ts';

/** The file of the worker process. */
export const WORKER_MAIN = join(import.meta.dirname, '../../worker/main.ts');

export interface WorkerProcess {
  id: string;
  process: ChildProcess;
  /** Resolves with the exit code; null after a signal. */
  exited: Promise<number | null>;
}

/** What a worker process needs of its configuration. */
export type WorkerEnvironment = Pick<WorkerConfig, 'databaseUrl' | 'supabaseUrl' | 'serviceRoleKey' | 'serviceUrls'>;

/**
 * Starts a worker process. Resolves when it is registered.
 * @param log receives the lines of the worker's log
 * @throws when the process ends before
 */
export async function spawnWorkerProcess(environment: WorkerEnvironment, log: string[]): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [WORKER_MAIN], {
    env: { ...process.env, ...variablesOf(environment) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(...text.trim().split('\n')));
  const id = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (line: string) => {
      resolve((JSON.parse(line) as { worker: string }).worker);
    });
    void exited.then((code) => reject(new Error(`the worker ended with ${code}: ${log.slice(-10).join('\n')}`)));
  });
  return { id, process: child, exited };
}

/** Returns the environment variables of a configuration. */
export function variablesOf({
  databaseUrl,
  supabaseUrl,
  serviceRoleKey,
  serviceUrls,
}: WorkerEnvironment): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: databaseUrl,
    SUPABASE_URL: supabaseUrl,
    SUPABASE_SECRET_KEY: serviceRoleKey,
    ...Object.fromEntries(SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, serviceUrls[name]])),
  };
}
