#!/usr/bin/env node
/** Runs the gateway with settings from the environment. Prints one line of JSON when it is ready. */
import { z } from 'zod';
import { GatewayEnvironment } from './config.ts';
import { loadKeys } from './keys.ts';
import { startGateway } from './server.ts';
import { importSitePages } from './site-pages.ts';

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const environment = GatewayEnvironment.safeParse(process.env);
if (!environment.success) fail(`The gateway cannot start:\n${z.prettifyError(environment.error)}`);
const settings = environment.data;

const keys = await loadKeys(settings.SUPABASE_LOCAL_KEYS_FILE).catch((error: unknown) =>
  fail(
    `SUPABASE_LOCAL_KEYS_FILE cannot be used: ${error instanceof z.ZodError ? z.prettifyError(error) : 'it is missing or not JSON'}`,
  ),
);

const pagesModule = settings.SUPABASE_LOCAL_SITE_PAGES;
const makePages =
  pagesModule === undefined
    ? undefined
    : await importSitePages(pagesModule).catch((error: unknown) =>
        fail(`SUPABASE_LOCAL_SITE_PAGES cannot be used: ${error instanceof Error ? error.message : 'unknown error'}`),
      );

const gateway = await startGateway({
  host: settings.SUPABASE_LOCAL_HOST,
  port: settings.SUPABASE_LOCAL_PORT,
  dbUrl: settings.SUPABASE_LOCAL_DB_URL,
  keys,
  storageDir: settings.SUPABASE_LOCAL_STORAGE_DIR,
  fileSizeLimit: settings.SUPABASE_LOCAL_FILE_SIZE_LIMIT,
  functionsUrl: settings.SUPABASE_LOCAL_FUNCTIONS_URL,
  siteDir: settings.SUPABASE_LOCAL_SITE_DIR,
  makePages,
  anonymousUsers: settings.SUPABASE_LOCAL_ANONYMOUS_USERS === '1',
}).catch((error: unknown) =>
  fail(`The gateway cannot start: ${error instanceof Error ? error.message : 'unknown error'}`),
);

let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await gateway.close();
  process.exit(0);
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
if (settings.SUPABASE_LOCAL_EXIT_WITH_PARENT === '1') {
  process.stdin.resume();
  process.stdin.on('close', () => void stop());
  process.stdin.on('end', () => void stop());
}

process.stdout.write(`${JSON.stringify({ listening: true, service: 'gateway', port: gateway.port })}\n`);
