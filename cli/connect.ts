/** Connects a command to an engine: the project of the environment, the running local stack, or a stack of its own. */
import { existsSync } from 'node:fs';
import { AuthUnknownError, createClient, isAuthRetryableFetchError } from '@supabase/supabase-js';
import type { AuthError, SupabaseClient } from '@supabase/supabase-js';
import { dataPaths, readStack, startStack } from '../local/index.ts';
import type { Stack, StackInfo } from '../local/index.ts';
import { setting } from './environment.ts';
import { CliError, EXIT_USAGE, interrupted } from './errors.ts';
import { sessionFile } from './session-file.ts';

/** Options that name a local stack. */
export interface StackOptions {
  dataDir?: string;
  portBase?: number;
}

export interface Connection {
  supabase: SupabaseClient;
  url: string;
  /** Reads the mashups of all users; only on the local stack, whose keys this user has. */
  admin: SupabaseClient | undefined;
  /** Whether the stack was started for this command. */
  isOwn: boolean;
  /** Disconnects, and stops the stack if it was started for this command. */
  close(): Promise<void>;
}

interface Target {
  url: string;
  key: string;
  /** The local stack; undefined for remote projects, whose sign-in is not stored. */
  stack?: StackInfo;
}

/**
 * Connects. Starts a local stack if there is no engine to connect to.
 * @param hooks.log receives the steps of the start
 * @throws CliError `bad_setting`; errors of the stack
 */
export async function connect(
  options: StackOptions,
  hooks: { log: (line: string) => void; signal: AbortSignal },
): Promise<Connection> {
  const remote = targetFromEnvironment();
  if (remote !== undefined) return open(remote);
  const running = readStack(options.dataDir);
  if (running !== undefined) return open(localTarget(running));
  const stack = await startStack({ ...options, log: hooks.log, signal: hooks.signal }).catch((error: unknown) => {
    throw hooks.signal.aborted ? interrupted() : error;
  });
  return open(localTarget(stack.info), stack);
}

const localTarget = (stack: StackInfo): Target => ({ url: stack.apiUrl, key: stack.publishableKey, stack });

/**
 * Connects to an engine that may have mashups: a local stack that has never run has none, and is not started.
 * @throws as `connect`; CliError `no_mashups`
 */
export async function connectToMashups(
  options: StackOptions,
  hooks: Parameters<typeof connect>[1],
): Promise<Connection> {
  const { home, postgres } = dataPaths(options.dataDir);
  if (setting('SUPABASE_URL') === undefined && !existsSync(postgres)) {
    throw new CliError(
      'no_mashups',
      `There are no mashups in ${home}.`,
      'Make one with `mashup make` or in the studio (`mashup start`), or name the data directory with --data-dir.',
    );
  }
  return connect(options, hooks);
}

/** Returns the project of SUPABASE_URL; undefined if it is not set. */
function targetFromEnvironment(): Target | undefined {
  const url = setting('SUPABASE_URL');
  if (!url) return undefined;
  const key = setting('SUPABASE_PUBLISHABLE_KEY') ?? setting('SUPABASE_ANON_KEY');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError('bad_setting', 'SUPABASE_URL is not an http or https URL.', 'Correct or unset it.', EXIT_USAGE);
  }
  if (!key) {
    throw new CliError(
      'bad_setting',
      'SUPABASE_URL is set, but neither SUPABASE_PUBLISHABLE_KEY nor SUPABASE_ANON_KEY is.',
      'Set one of them, or unset SUPABASE_URL to use the local stack.',
      EXIT_USAGE,
    );
  }
  return { url, key };
}

function open({ url, key, stack }: Target, own?: Stack): Connection {
  const supabase = createClient(url, key, {
    auth: {
      persistSession: stack !== undefined,
      storageKey: 'mashup-cli',
      ...(stack === undefined ? {} : { storage: sessionFile(stack.dataDir) }),
    },
  });
  const admin = stack && createClient(url, stack.secretKey, { auth: { persistSession: false } });
  return {
    supabase,
    url,
    admin,
    isOwn: own !== undefined,
    async close() {
      for (const client of [supabase, ...(admin === undefined ? [] : [admin])]) {
        await client.auth.stopAutoRefresh();
        if (client.realtime.isConnected()) await client.realtime.disconnect();
      }
      await own?.stop();
    },
  };
}

/**
 * Signs in: as MASHUP_EMAIL with MASHUP_PASSWORD, with the session of an earlier run, or as a new anonymous user.
 * @throws CliError `sign_in_failed`
 */
export async function signIn(supabase: SupabaseClient): Promise<void> {
  const email = setting('MASHUP_EMAIL');
  const password = setting('MASHUP_PASSWORD');
  if (email !== undefined) {
    const { error } = await supabase.auth.signInWithPassword({ email, password: password ?? '' });
    if (error) {
      assertAnswered(error);
      throw new CliError(
        'sign_in_failed',
        `Signing in as ${email} failed: ${error.message}`,
        'Check MASHUP_EMAIL and MASHUP_PASSWORD.',
        undefined,
        { cause: error },
      );
    }
    return;
  }
  // The stored session of a deleted account looks valid, so the server is asked.
  const { data: earlier } = await supabase.auth.getUser();
  if (earlier.user !== null) return;
  const { error } = await supabase.auth.signInAnonymously();
  if (error) {
    assertAnswered(error);
    throw new CliError(
      'sign_in_failed',
      `Signing in without an account failed: ${error.message}`,
      'Set MASHUP_EMAIL and MASHUP_PASSWORD to an account of the project, or allow anonymous sign-ins: docs/how-to/hosted.md.',
      undefined,
      { cause: error },
    );
  }
}

/** Checks that an error is the answer of a project, not that of a network or of another server. @throws CliError `unreachable` */
function assertAnswered(error: AuthError): void {
  const isProxy = error instanceof AuthUnknownError || error.status === undefined;
  if (!isAuthRetryableFetchError(error) && !isProxy) return;
  const url = setting('SUPABASE_URL');
  throw new CliError(
    'unreachable',
    `${url ?? 'The local stack'} does not answer as a Supabase project.`,
    url === undefined ? 'See `mashup doctor`.' : 'Check SUPABASE_URL and the network: `mashup doctor`.',
    undefined,
    { cause: error },
  );
}
