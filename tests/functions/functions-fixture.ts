/** A fixture with everything that a client can call: database with the state machine, gateway, and edge functions in Deno. */
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
import { until } from '../support/until.ts';

/** A user who is signed in anonymously. */
export interface Visitor {
  client: SupabaseClient;
  id: string;
  token: string;
}

export interface FunctionsFixture {
  url: string;
  keys: Keys;
  machine: Machine;
  /** Creates a client, with the anon key by default. */
  client(key?: string): SupabaseClient;
  /** Signs up a new anonymous user. */
  visitor(): Promise<Visitor>;
  /** Calls an edge function. */
  call(name: string, body: unknown, options?: CallOptions): Promise<FunctionResponse>;
  /** Stops the gateway and starts it again on the same port. */
  restartGateway(): Promise<void>;
  stopGateway(): Promise<void>;
  startGateway(): Promise<void>;
}

export interface CallOptions {
  /** Bearer token; none by default. */
  as?: string;
  headers?: Record<string, string>;
  method?: string;
}

/** Body of a function's response, loosely typed. */
export type ResponseBody = Record<string, unknown> & {
  error?: string;
  code?: string;
  hint?: string;
  details?: string | null;
};

export interface FunctionResponse {
  status: number;
  headers: Headers;
  body: ResponseBody;
}

export interface FunctionsFixtureOptions {
  /** False: no Deno is started. */
  functions?: boolean;
  /** Starts the gateway; by default in this process. */
  gateway?: (options: {
    port: number;
    dbUrl: string;
    keys: Keys;
    storageDir: string;
    functionsUrl: string;
  }) => Promise<{ close(): Promise<void> }>;
}

/** Starts the fixture for a whole test file. */
export async function startFunctionsFixture(
  scope: CleanUpScope,
  options: FunctionsFixtureOptions = {},
): Promise<FunctionsFixture> {
  const machine = await useMachine(scope);
  const keys = await makeKeys();
  const storageDir = await mkdtemp(join(tmpdir(), 'mashup-functions-'));
  const [port, functionsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const functionsUrl = `http://127.0.0.1:${functionsPort}`;
  const run = options.gateway ?? startGateway;
  const gateway = gatewayControls(() => run({ port, dbUrl: machine.superuserUrl, keys, storageDir, functionsUrl }));
  await gateway.startGateway();
  const deno = options.functions === false ? undefined : await startFunctions(functionsPort, settingsOf(url, keys));
  const clients = createClients(url, keys);
  scope.after(async () => {
    await clients.close();
    deno?.kill('SIGKILL');
    await gateway.stopGateway();
    await rm(storageDir, { recursive: true, force: true });
  });
  return {
    url,
    keys,
    machine,
    client: clients.client,
    visitor: () => signUpVisitor(clients.client()),
    call: (name, body, callOptions) => callFunction(url, keys, name, body, callOptions),
    ...gateway,
  };
}

/** Environment of the edge functions, with keys of both styles. */
function settingsOf(url: string, keys: Keys): Record<string, string> {
  return {
    SUPABASE_URL: url,
    SUPABASE_ANON_KEY: keys.anonKey,
    SUPABASE_SERVICE_ROLE_KEY: keys.serviceRoleKey,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
  };
}

type GatewayControls = Pick<FunctionsFixture, 'startGateway' | 'stopGateway' | 'restartGateway'>;

function gatewayControls(run: () => Promise<{ close(): Promise<void> }>): GatewayControls {
  let gateway: { close(): Promise<void> } | undefined;
  const startGateway = async (): Promise<void> => {
    gateway ??= await run();
  };
  const stopGateway = async (): Promise<void> => {
    await gateway?.close();
    gateway = undefined;
  };
  return {
    startGateway,
    stopGateway,
    async restartGateway() {
      await stopGateway();
      await startGateway();
    },
  };
}

function createClients(url: string, keys: Keys): { client(key?: string): SupabaseClient; close(): Promise<void> } {
  const clients: SupabaseClient[] = [];
  return {
    client(key = keys.anonKey) {
      const client = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
      clients.push(client);
      return client;
    },
    async close() {
      // Disconnecting a socket that was never opened leaves a timer of ten seconds behind.
      const connected = clients.filter((client) => client.realtime.isConnected());
      await Promise.all(connected.map((client) => client.removeAllChannels()));
    },
  };
}

async function signUpVisitor(client: SupabaseClient): Promise<Visitor> {
  const { data, error } = await client.auth.signInAnonymously();
  if (error || !data.session) throw error ?? new Error('no session');
  return { client, id: data.session.user.id, token: data.session.access_token };
}

async function callFunction(
  url: string,
  keys: Keys,
  name: string,
  body: unknown,
  { as, headers, method = 'POST' }: CallOptions = {},
): Promise<FunctionResponse> {
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
  return { status: response.status, headers: response.headers, body: parsed as ResponseBody };
}

/** Starts the edge functions in Deno with exactly these environment variables, and waits until they are ready. */
export async function startFunctions(port: number, settings: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(locateDeno(), functionsArguments(FUNCTIONS_DIR, port, []), {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      ...settings,
      DENO_NO_UPDATE_CHECK: '1',
      NO_COLOR: '1',
    },
    // The process exits when its standard input closes, so it cannot outlive the test.
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  await until('the functions are ready', async () => {
    if (child.exitCode !== null) throw new Error(`Deno exited with ${child.exitCode}`);
    const health = await fetch(`http://127.0.0.1:${port}/_health`).catch(() => undefined);
    return health?.ok === true;
  });
  return child;
}
