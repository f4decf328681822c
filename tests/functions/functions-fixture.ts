/** The whole surface for a test: database with the state machine, gateway, and the edge functions in Deno. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { functionsArguments, FUNCTIONS_DIR, locateDeno } from '../../local/functions.ts';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import { freePort } from '../../local/ports.ts';
import '../support/short-timers.ts';
import { useMachine } from '../state-machine/state-machine-fixture.ts';
import type { Machine } from '../state-machine/state-machine-fixture.ts';
import type { CleanUpScope } from '../support/postgres.ts';

const PATIENCE_MS = 15_000;

export interface Visitor {
  client: SupabaseClient;
  id: string;
  token: string;
}

export interface Surface {
  url: string;
  keys: Keys;
  machine: Machine;
  /** A client of its own with the anon key, or another. */
  client(key?: string): SupabaseClient;
  /** A client that has just signed up anonymously. */
  visitor(): Promise<Visitor>;
  /** Calls a function as fetch does; `as` is the bearer, default none. */
  call(name: string, body: unknown, options?: CallAs): Promise<{ status: number; headers: Headers; body: Answer }>;
  /** Ends the gateway and starts it again on its port. */
  restartGateway(): Promise<void>;
  stopGateway(): Promise<void>;
  startGateway(): Promise<void>;
}

export interface CallAs {
  as?: string;
  headers?: Record<string, string>;
  method?: string;
}

/** A function's answer, as loosely as a test reads it. */
export type Answer = Record<string, unknown> & {
  error?: string;
  code?: string;
  hint?: string;
  details?: string | null;
};

export interface SurfaceOptions {
  /** False leaves Deno out. */
  functions?: boolean;
  /** How the gateway is run; default: in this process. */
  gateway?: (options: {
    port: number;
    dbUrl: string;
    keys: Keys;
    storageDir: string;
    functionsUrl: string;
  }) => Promise<{ close(): Promise<void> }>;
}

/** Starts the surface for a whole test file. */
export async function useSurface(scope: CleanUpScope, options: SurfaceOptions = {}): Promise<Surface> {
  const machine = await useMachine(scope);
  const keys = await makeKeys();
  const storageDir = await mkdtemp(join(tmpdir(), 'mashup-surface-'));
  const [port, functionsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const functionsUrl = `http://127.0.0.1:${functionsPort}`;
  const clients: SupabaseClient[] = [];
  const run = options.gateway ?? startGateway;
  let gateway: { close(): Promise<void> } | undefined;

  const start = async () => {
    gateway ??= await run({ port, dbUrl: machine.superuserUrl, keys, storageDir, functionsUrl });
  };
  const stop = async () => {
    await gateway?.close();
    gateway = undefined;
  };
  await start();
  const deno =
    options.functions === false
      ? undefined
      : await startFunctions(functionsPort, {
          SUPABASE_URL: url,
          SUPABASE_ANON_KEY: keys.anonKey,
          SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
          SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
          SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
        });
  scope.after(async () => {
    // Disconnecting a socket that was never opened leaves a timer of ten seconds behind.
    await Promise.all(clients.filter((one) => one.realtime.isConnected()).map((one) => one.removeAllChannels()));
    deno?.kill('SIGKILL');
    await stop();
    await rm(storageDir, { recursive: true, force: true });
  });

  const client = (key = keys.anonKey): SupabaseClient => {
    const made = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
    clients.push(made);
    return made;
  };
  return {
    url,
    keys,
    machine,
    client,
    async visitor() {
      const made = client();
      const { data, error } = await made.auth.signInAnonymously();
      if (error || !data.session) throw error ?? new Error('no session');
      return { client: made, id: data.session.user.id, token: data.session.access_token };
    },
    async call(name, body, { as, headers, method = 'POST' } = {}) {
      const response = await fetch(`${url}/functions/v1/${name}`, {
        method,
        headers: {
          apikey: keys.anonKey,
          'content-type': 'application/json',
          ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
          ...headers,
        },
        ...(method === 'GET' || method === 'OPTIONS'
          ? {}
          : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : { text };
      return { status: response.status, headers: response.headers, body: parsed as Answer };
    },
    async restartGateway() {
      await stop();
      await start();
    },
    stopGateway: stop,
    startGateway: start,
  };
}

/** Runs the edge functions in Deno with these settings and no others, and waits until they answer. */
export async function startFunctions(port: number, settings: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(locateDeno(), functionsArguments(FUNCTIONS_DIR, port, []), {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...settings,
      DENO_NO_UPDATE_CHECK: '1',
      NO_COLOR: '1',
    },
    // The runner ends when its input does, so it cannot outlive the test.
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  await until('the functions answer', async () => {
    if (child.exitCode !== null) throw new Error(`Deno ended with ${child.exitCode}`);
    const health = await fetch(`http://127.0.0.1:${port}/_health`).catch(() => undefined);
    return health?.ok === true;
  });
  return child;
}

/** Resolves when the condition holds; fails after 15 seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
