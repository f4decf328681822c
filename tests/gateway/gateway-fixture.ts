/** A gateway with a new database, and unmodified supabase-js clients for it. */
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

const { SUPABASE_URL, SUPABASE_ANON_KEY, SUPABASE_SERVICE_ROLE_KEY } = process.env;

/** The project that the suite runs against, if the environment names one. */
export const PROJECT =
  SUPABASE_URL && SUPABASE_ANON_KEY && SUPABASE_SERVICE_ROLE_KEY
    ? { url: SUPABASE_URL, anonKey: SUPABASE_ANON_KEY, serviceRoleKey: SUPABASE_SERVICE_ROLE_KEY }
    : undefined;

/** Why tests of the local gateway itself are skipped if another project is tested, or false. */
export const LOCAL_ONLY = PROJECT
  ? 'needs tables, tokens and faults of a local gateway; project.test.ts runs against the project'
  : false;

/** A supabase-js client. */
export type Client = SupabaseClient;

/** A running gateway. */
export interface GatewayFixture {
  url: string;
  keys: Keys;
  /** A client of the database, as superuser. */
  sql: Sql;
  storageDir: string;
  /** Creates a client with the anon key or another key. */
  client(key?: string, options?: SupabaseClientOptions<'public'>): Client;
  /** Creates a client that is signed in as a new anonymous user. */
  visitor(): Promise<{ client: Client; id: string; token: string }>;
  /** `fetch` with the anon key; `path` begins with a slash. */
  fetch(path: string, init?: RequestInit & { token?: string }): Promise<Response>;
}

/** Closes the sockets of clients. */
async function disconnect(clients: readonly Client[]): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      if (client.getChannels().length > 0) await client.removeAllChannels();
      if (client.realtime.isConnected()) await client.realtime.disconnect();
    }),
  );
}

/** Starts a gateway for a test, or with `{ after }` of node:test for a whole file. `setup` is SQL that runs first. */
export async function useGateway(
  scope: CleanUpScope,
  options: { setup?: string; config?: Partial<GatewayConfig> } = {},
): Promise<GatewayFixture> {
  const database = await useDatabase(scope, { empty: true });
  const sql = postgres(database.superuserUrl, { max: 4, onnotice: () => {} });
  if (options.setup) await sql.unsafe(options.setup);
  const storageDir = await mkdtemp(join(tmpdir(), 'supabase-local-'));
  const keys = await makeKeys();
  const gateway = await startGateway({ port: 0, dbUrl: database.superuserUrl, keys, storageDir, ...options.config });
  const clients: Client[] = [];

  const client: GatewayFixture['client'] = (key = keys.anonKey, more = {}) => {
    const auth = { persistSession: false, autoRefreshToken: false, ...more.auth };
    const made = createClient(gateway.url, key, { ...more, auth });
    clients.push(made);
    return made;
  };

  scope.after(async () => {
    await disconnect(clients);
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
