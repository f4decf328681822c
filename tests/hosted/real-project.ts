/**
 * A Supabase project for tests with the real Storage server: Postgres with the roles of Supabase, the Storage server of a
 * checkout, the local gateway for Auth, REST, Realtime and functions, and a router before all of them.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapFiles, LOCAL_PASSWORD } from '@mashup-engine/supabase-local/bootstrap';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import postgres from 'postgres';
import { freePort } from '../../local/ports.ts';
import { startPostgres } from '../../local/postgres/launcher.ts';
import { startFunctions } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';
import { startRouter } from './router.ts';

/** The global limit of a new hosted project, in bytes. */
const UPLOAD_LIMIT = 50 * 1024 * 1024;
const START_LIMIT_MS = 120_000;

export interface RealProject {
  /** URL of the project, as SUPABASE_URL. */
  url: string;
  /** As role `postgres`. */
  databaseUrl: string;
  superuserUrl: string;
  keys: Keys;
  /** Migrations that the Storage server has applied. */
  storageMigrations: number;
  close(): Promise<void>;
}

/**
 * Starts a project.
 * @param checkout folder of a built checkout of the Storage server: it contains dist/start/server.js
 */
export async function startRealProject(checkout: string): Promise<RealProject> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-project-'));
  await chmod(folder, 0o711);
  const server = await startPostgres({ dataDir: join(folder, 'postgres'), port: 0, settings: { fsync: 'off' } });
  const keys = await makeKeys();
  await bootstrapWithoutStorage(server.superuserUrl);
  const [storagePort, gatewayPort, functionsPort] = [await freePort(), await freePort(), await freePort()];
  const storage = await startStorage(checkout, { port: storagePort, folder, keys, superuserUrl: server.superuserUrl });
  const functionsUrl = `http://127.0.0.1:${functionsPort}`;
  const gateway = await startGateway({
    port: gatewayPort,
    dbUrl: server.superuserUrl,
    keys,
    storageDir: join(folder, 'unused'),
    functionsUrl,
  });
  const router = await startRouter([
    { prefix: '/storage/v1', target: `http://127.0.0.1:${storagePort}`, isStripped: true },
    { prefix: '/', target: gateway.url, isStripped: false },
  ]);
  const functions = await startFunctions(functionsPort, {
    SUPABASE_URL: router.url,
    SUPABASE_ANON_KEY: keys.anonKey,
    SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
  });
  return {
    url: router.url,
    databaseUrl: server.url,
    superuserUrl: server.superuserUrl,
    keys,
    storageMigrations: await countMigrations(server.superuserUrl),
    async close() {
      for (const child of [functions, storage]) child.kill('SIGKILL');
      await router.close();
      await gateway.close();
      await server.stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Roles and schemas of Supabase, without the tables of Storage: its server creates them. */
async function bootstrapWithoutStorage(superuserUrl: string): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (tx) => {
      await tx`select set_config('supabase_local.role_password', ${LOCAL_PASSWORD}, true)`;
      for (const file of await bootstrapFiles())
        if (!/storage\.sql$/.test(file)) await tx.unsafe(await readFile(file, 'utf8'));
      await tx`grant create on database postgres to supabase_storage_admin`;
    });
  } finally {
    await sql.end();
  }
}

async function startStorage(
  checkout: string,
  project: { port: number; folder: string; keys: Keys; superuserUrl: string },
): Promise<ChildProcess> {
  const { port, folder, keys } = project;
  const databaseUrl = new URL(project.superuserUrl);
  databaseUrl.username = 'supabase_storage_admin';
  databaseUrl.password = LOCAL_PASSWORD;
  const { d: _private, ...publicKey } = keys.signingKey;
  const child = spawn(process.execPath, ['dist/start/server.js'], {
    cwd: checkout,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      SERVER_HOST: '127.0.0.1',
      SERVER_PORT: String(port),
      SERVER_REGION: 'local',
      AUTH_JWT_SECRET: keys.jwtSecret,
      JWT_JWKS: JSON.stringify({ keys: [{ ...publicKey, alg: 'ES256', use: 'sig' }] }),
      ANON_KEY: keys.anonKey,
      SERVICE_KEY: keys.serviceRoleKey,
      DATABASE_URL: databaseUrl.href,
      DB_INSTALL_ROLES: 'false',
      STORAGE_BACKEND: 'file',
      STORAGE_FILE_BACKEND_PATH: join(folder, 'files'),
      STORAGE_S3_BUCKET: 'local',
      STORAGE_S3_REGION: 'local',
      UPLOAD_FILE_SIZE_LIMIT: String(UPLOAD_LIMIT),
      UPLOAD_SIGNED_URL_EXPIRATION_TIME: '60',
      IMAGE_TRANSFORMATION_ENABLED: 'false',
      PG_QUEUE_ENABLE: 'false',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  await until(
    () => `the Storage server responds: ${output.join('').slice(-2_000)}`,
    async () => {
      if (child.exitCode !== null) throw new Error(`the Storage server exited: ${output.join('').slice(-2_000)}`);
      return (await fetch(`http://127.0.0.1:${port}/status`).catch(() => undefined))?.ok === true;
    },
    START_LIMIT_MS,
  );
  return child;
}

async function countMigrations(superuserUrl: string): Promise<number> {
  const sql = postgres(superuserUrl, { max: 1 });
  try {
    const [row] = await sql<{ n: number }[]>`select count(*)::int as n from storage.migrations`;
    return row?.n ?? 0;
  } finally {
    await sql.end();
  }
}
