import { join } from 'node:path';

import postgres from 'postgres';

import { LOCAL_PASSWORD } from '@mashup-engine/supabase-local/bootstrap';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { SERVICE_DEFAULTS, serviceToken, tokenVariable } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { functionsArguments, FUNCTIONS_DIR, locateDeno } from './functions.ts';
import { PROJECT_ROOT, scriptPath, studioDir } from './layout.ts';
import type { DataPaths, Ports } from './layout.ts';
import { LOOPBACK } from './ports.ts';
import { nodePart, servicePart, withoutSecrets } from './process-part.ts';
import { isHttpReady } from './supervisor/http-ready.ts';
import type { PartSpec } from './supervisor/supervise.ts';

/** Inputs of the part specs. */
export interface StackContext {
  paths: DataPaths;
  ports: Ports;
  keys: Keys;
  serviceUrls: Record<ServiceName, string>;
}

/** A stopping worker first returns its running tasks. */
const WORKER_STOP_TIMEOUT_MS = 10_000;

/** Returns the spec of the Supabase-compatible API. */
export function gatewaySpec(context: StackContext, superuserUrl: string): PartSpec {
  const url = apiUrl(context.ports);
  return nodePart({
    name: 'gateway',
    entry: 'packages/supabase-local/gateway/main.ts',
    logFile: join(context.paths.logs, 'gateway.log'),
    env: {
      SUPABASE_LOCAL_PORT: String(context.ports.gateway),
      SUPABASE_LOCAL_DB_URL: superuserUrl,
      SUPABASE_LOCAL_KEYS_FILE: context.paths.keys,
      SUPABASE_LOCAL_STORAGE_DIR: context.paths.storage,
      SUPABASE_LOCAL_FUNCTIONS_URL: functionsUrl(context.ports),
      SUPABASE_LOCAL_SITE_DIR: studioDir(),
      SUPABASE_LOCAL_SITE_PAGES: scriptPath('local/share-pages.ts'),
    },
    isReady: () => isHttpReady(`${url}/auth/v1/.well-known/jwks.json`, (status) => status < 500),
  });
}

/** Returns the spec of the edge functions, which run in Deno. */
export function functionsSpec(context: StackContext, dbUrl: string): PartSpec {
  const { keys, ports } = context;
  return {
    name: 'functions',
    command: locateDeno(),
    args: functionsArguments(FUNCTIONS_DIR, ports.functions, Object.values(context.serviceUrls)),
    env: withoutSecrets({
      ...serviceUrlEnv(context),
      SUPABASE_URL: apiUrl(ports),
      SUPABASE_ANON_KEY: keys.anonKey,
      SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
      SUPABASE_PUBLISHABLE_KEY: keys.publishableKey,
      SUPABASE_SECRET_KEY: keys.secretKey,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
      SUPABASE_DB_URL: dbUrl,
      // Without a key the built-in planner plans by rules.
      WISHES_READ_BY: process.env.ANTHROPIC_API_KEY ? 'planner' : 'rules',
      DENO_NO_UPDATE_CHECK: '1',
      NO_COLOR: '1',
    }),
    cwd: PROJECT_ROOT,
    logFile: join(context.paths.logs, 'functions.log'),
    isReady: () => isHttpReady(`${functionsUrl(ports)}/_health`),
  };
}

/** Returns the spec of a built-in service of the stack. */
export function serviceSpec(context: StackContext, service: ServiceName): PartSpec {
  const port = context.ports.services[service];
  return servicePart({
    service,
    host: LOOPBACK,
    port,
    logFile: join(context.paths.logs, `${service}.log`),
    modelsDir: context.paths.models,
    // Built-in services transfer files of this stack only, whatever project the environment names.
    supabaseUrl: apiUrl(context.ports),
  });
}

/** Returns the spec of a worker. It is ready when it has registered in the database. */
export function workerSpec(context: StackContext, urls: { workerDbUrl: string; superuserUrl: string }): PartSpec {
  return nodePart({
    name: 'worker',
    entry: 'worker/main.ts',
    logFile: join(context.paths.logs, 'worker.log'),
    env: {
      ...serviceUrlEnv(context),
      DATABASE_URL: urls.workerDbUrl,
      SUPABASE_URL: apiUrl(context.ports),
      SUPABASE_SECRET_KEY: context.keys.secretKey,
    },
    isReady: (pid) => isRegistered(urls.superuserUrl, pid),
    stopTimeoutMs: WORKER_STOP_TIMEOUT_MS,
  });
}

/** Returns the connection URL of the role `postgres`. */
export function databaseUrl(ports: Ports): string {
  return `postgresql://postgres:${LOCAL_PASSWORD}@${LOOPBACK}:${ports.database}/postgres?sslmode=disable`;
}

/** Returns the URL of the API. */
export function apiUrl(ports: Ports): string {
  return `http://${LOOPBACK}:${ports.gateway}`;
}

/** Returns the URL of the functions. Clients reach them through the API. */
export function functionsUrl(ports: Ports): string {
  return `http://${LOOPBACK}:${ports.functions}`;
}

function serviceUrlEnv(context: StackContext): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [service, url] of Object.entries(context.serviceUrls)) {
    env[SERVICE_DEFAULTS[service as ServiceName].urlVariable] = url;
    env[tokenVariable(service as ServiceName)] = serviceToken(service as ServiceName, process.env);
  }
  return env;
}

async function isRegistered(superuserUrl: string, pid: number): Promise<boolean> {
  const sql = postgres(superuserUrl, { max: 1 });
  try {
    const rows = await sql`
      select from mashup.workers
      where pid = ${pid} and not draining and seen_at > mashup.now() - interval '1 minute'`;
    return rows.length > 0;
  } finally {
    await sql.end();
  }
}
