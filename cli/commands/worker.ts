/** `mashup worker`: runs a worker. */
import type { Command } from 'commander';
import { readStack } from '../../local/state.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';

/** Adds the command to the program. */
export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('run a worker for DATABASE_URL or the running local stack')
    .action(async (_options: unknown, command: Command) => {
      useRunningStack(command.optsWithGlobals<StackOptions>());
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
