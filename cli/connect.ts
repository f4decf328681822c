/** Connects a command to an engine: the project of the environment, the running local stack, or a stack of its own. */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { readStack, startStack } from '../local/index.ts';
import type { Stack } from '../local/index.ts';
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
  /** Whether the stack was started for this command. */
  isOwn: boolean;
  /** Disconnects, and stops the stack if it was started for this command. */
  close(): Promise<void>;
}

interface Target {
  url: string;
  key: string;
  /** Directory for the stored sign-in; undefined for remote projects, whose sign-in is not stored. */
  dataDir?: string;
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
  if (running !== undefined) {
    return open({ url: running.apiUrl, key: running.publishableKey, dataDir: running.dataDir });
  }
  const stack = await startStack({ ...options, log: hooks.log, signal: hooks.signal }).catch((error: unknown) => {
    throw hooks.signal.aborted ? interrupted() : error;
  });
  const { info } = stack;
  return open({ url: info.apiUrl, key: info.publishableKey, dataDir: info.dataDir }, stack);
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

function open(target: Target, own?: Stack): Connection {
  const supabase = createClient(target.url, target.key, {
    auth: {
      persistSession: target.dataDir !== undefined,
      storageKey: 'mashup-cli',
      ...(target.dataDir === undefined ? {} : { storage: sessionFile(target.dataDir) }),
    },
  });
  return {
    supabase,
    url: target.url,
    isOwn: own !== undefined,
    async close() {
      await supabase.auth.stopAutoRefresh();
      if (supabase.realtime.isConnected()) await supabase.realtime.disconnect();
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
    throw new CliError(
      'sign_in_failed',
      `Signing in without an account failed: ${error.message}`,
      'Set MASHUP_EMAIL and MASHUP_PASSWORD to an account of the project, or allow anonymous sign-ins: docs/how-to/hosted.md.',
      undefined,
      { cause: error },
    );
  }
}
