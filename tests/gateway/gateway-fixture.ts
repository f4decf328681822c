/** A gateway before a fresh database, and unmodified supabase-js clients for it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient, SupabaseClientOptions } from '@supabase/supabase-js';
import type { Sql } from 'postgres';
import postgres from 'postgres';
import type { GatewayConfig } from '@mashup-engine/supabase-local/gateway/config';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import '../support/short-timers.ts';
import { useDatabase } from '../support/postgres.ts';
import type { CleanUpScope } from '../support/postgres.ts';

/** How long a condition is waited for, in milliseconds. */
const PATIENCE_MS = 10_000;

const { SUPABASE_URL, SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY } = process.env;

/** The project that the suite is to run against, if the environment names one. */
export const PROJECT =
  SUPABASE_URL && SUPABASE_ANON_KEY && SUPABASE_SERVICE_ROLE_KEY
    ? { url: SUPABASE_URL, anonKey: SUPABASE_ANON_KEY, serviceRoleKey: SUPABASE_SERVICE_ROLE_KEY }
    : undefined;

/** Why a test of the stand-in itself is skipped where another project is tested, or false. */
export const LOCAL_ONLY = PROJECT
  ? 'needs tables, tokens and faults that only a stand-in of its own can give; project.test.ts runs here'
  : false;

export type Client = SupabaseClient;

export interface World {
  url: string;
  keys: Keys;
  /** As superuser. */
  sql: Sql;
  storageDir: string;
  /** A client of its own with the anon key, or another. */
  client(key?: string, options?: SupabaseClientOptions<'public'>): Client;
  /** A client that has just signed up anonymously, and who it is. */
  visitor(): Promise<{ client: Client; id: string; token: string }>;
  /** A plain fetch with the anon key; `path` begins with a slash. */
  fetch(path: string, init?: RequestInit & { token?: string }): Promise<Response>;
}

/** Closes the clients' sockets. */
async function hangUp(clients: readonly Client[]): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      if (client.getChannels().length > 0) await client.removeAllChannels();
      if (client.realtime.isConnected()) await client.realtime.disconnect();
    }),
  );
}

/** Starts a gateway for a test, or with `{ after }` of node:test for a whole file. */
export async function useGateway(
  scope: CleanUpScope,
  options: { setup?: string; config?: Partial<GatewayConfig> } = {},
): Promise<World> {
  const database = await useDatabase(scope, { empty: true });
  const sql = postgres(database.superuserUrl, { max: 4, onnotice: () => {} });
  if (options.setup) await sql.unsafe(options.setup);
  const storageDir = await mkdtemp(join(tmpdir(), 'supabase-local-'));
  const keys = await makeKeys();
  const gateway = await startGateway({ port: 0, dbUrl: database.superuserUrl, keys, storageDir, ...options.config });
  const clients: Client[] = [];

  const client: World['client'] = (key = keys.anonKey, more = {}) => {
    const auth = { persistSession: false, autoRefreshToken: false, ...more.auth };
    const made = createClient(gateway.url, key, { ...more, auth });
    clients.push(made);
    return made;
  };

  scope.after(async () => {
    await hangUp(clients);
    await gateway.close();
    await sql.end({ timeout: 1 });
    await rm(storageDir, { recursive: true, force: true });
  });

  return {
    url: gateway.url,
    keys,
    sql,
    storageDir,
    client,
    async visitor() {
      const made = client();
      const { data, error } = await made.auth.signInAnonymously();
      if (error || !data.session) throw error ?? new Error('no session');
      await made.realtime.setAuth();
      return { client: made, id: data.session.user.id, token: data.session.access_token };
    },
    fetch: (path, { token, ...init } = {}) =>
      fetch(gateway.url + path, {
        ...init,
        headers: { apikey: keys.anonKey, authorization: `Bearer ${token ?? keys.anonKey}`, ...init.headers },
      }),
  };
}

/** Resolves when the condition holds; fails with `what` after ten seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
