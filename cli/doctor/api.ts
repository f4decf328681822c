/** Checks the API with the anon key: Auth, REST, Storage, Realtime and the edge functions. */
import { createClient, REALTIME_SUBSCRIBE_STATES } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema.ts';
import { failed, passed, runCheck } from './finding.ts';
import type { Finding } from './finding.ts';

const TIMEOUT_MS = 5_000;
const REALTIME_TIMEOUT_MS = 15_000;
const FUNCTIONS = [
  'generate-mashup',
  'get-mashup-status',
  'create-signed-upload',
  'claude-mashup-iteration',
  'edit-mashup',
  'stem-separation',
  'delete-account',
  'renew-upload',
];
/** Functions that read public links, without an account. */
const PUBLIC_FUNCTIONS = ['shared-mashup', 'shared-cover', 'shared-audio'];

/** Checks the API of a project. */
export async function checkApi(url: string, key: string): Promise<Finding[]> {
  const supabase = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
  const down = `Check that ${url} is the right project and that it runs.`;
  try {
    return (
      await Promise.all([
        runCheck('auth', down, () => checkAuth(url)),
        runCheck('sign-in', down, () => checkSignIn(url, key)),
        runCheck('rest', down, () => checkRest(supabase)),
        runCheck('storage', down, () => checkStorage(supabase)),
        runCheck('realtime', down, () => checkRealtime(supabase)),
        runCheck('functions', down, () =>
          Promise.all([
            ...FUNCTIONS.map((name) => checkFunction(url, key, name)),
            ...PUBLIC_FUNCTIONS.map((name) => checkPublicFunction(url, name)),
          ]),
        ),
      ])
    ).flat();
  } finally {
    supabase.realtime.disconnect();
  }
}

async function checkAuth(url: string): Promise<Finding> {
  const response = await fetch(`${url}/auth/v1/.well-known/jwks.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  if (response.ok) return passed('auth', 'publishes its signing keys');
  return failed('auth', `/auth/v1/.well-known/jwks.json returned ${response.status}`, 'Check the log of Auth.');
}

/** Reads the settings that Auth publishes. Anonymous sign-ins are off in new projects; the studio then works with accounts. */
async function checkSignIn(url: string, key: string): Promise<Finding> {
  const response = await fetch(`${url}/auth/v1/settings`, {
    headers: { apikey: key },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    return failed('sign-in', `/auth/v1/settings returned ${response.status}`, 'Check the key and the log of Auth.');
  }
  const settings = (await response.json()) as { external?: Record<string, unknown>; disable_signup?: unknown };
  const isAnonymous = settings.external?.['anonymous_users'] === true;
  const isEmail = settings.external?.['email'] === true;
  const how = 'Dashboard, Authentication, Sign In / Providers: allow anonymous sign-ins';
  if (settings.disable_signup === true)
    return passed('sign-in', `existing accounts only: sign-ups are off. To change it: ${how}, and new users`);
  if (isAnonymous) return passed('sign-in', 'visitors need no account');
  if (isEmail) return passed('sign-in', `accounts only: anonymous sign-ins are off. To allow visitors: ${how}`);
  return failed('sign-in', 'neither anonymous sign-ins nor e-mail accounts are allowed', `${how}, or e-mail.`);
}

async function checkRest(supabase: SupabaseClient): Promise<Finding> {
  const { error, status } = await supabase.rpc('get_mashup', { job_id: crypto.randomUUID() });
  // Visitors may not call the function. The refusal shows that it exists.
  if (error?.code === '42501' || !error) return passed('rest', 'the SQL functions are exposed');
  if (status === 0) return failed('rest', 'does not respond', 'Check the log of the API.');
  return failed('rest', `${error.message} (${error.code})`, 'Run `mashup migrate`, and check the key.');
}

async function checkStorage(supabase: SupabaseClient): Promise<Finding> {
  const { error } = await supabase.storage.from(BUCKET).list('uploads', { limit: 1 });
  if (!error) return passed('storage', 'responds');
  return failed('storage', error.message, 'Check the log of Storage.');
}

function checkRealtime(supabase: SupabaseClient): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const timeout = failed(
    'realtime',
    'the stream does not become ready',
    'Check the log of Realtime; run `mashup migrate`.',
  );
  const timer = setTimeout(() => resolve(timeout), REALTIME_TIMEOUT_MS);
  supabase
    .channel('doctor')
    .on('system', {}, (message: { status?: string; message?: string }) => {
      if (message.status === 'ok') resolve(passed('realtime', 'changes of mashup_jobs are streamed'));
      else
        resolve(failed('realtime', message.message ?? 'refused', 'Run `mashup migrate`: the publication is missing.'));
    })
    .on('postgres_changes', { event: '*', schema: 'public', table: 'mashup_jobs' }, () => {})
    .subscribe((status, error) => {
      if (status === REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) return;
      resolve(failed('realtime', error?.message ?? status, 'Check the log of Realtime.'));
    });
  return promise.finally(() => clearTimeout(timer));
}

async function checkFunction(url: string, key: string, name: string): Promise<Finding> {
  const response = await fetch(`${url}/functions/v1/${name}`, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const code = await codeOf(response);
  if (response.status === 401 && code === 'sign_in_required') return passed(name, 'is deployed, and refuses strangers');
  return refusedWrongly(name, response.status, code);
}

/** Reads a link that does not exist, without any key, as whoever opens a link. */
async function checkPublicFunction(url: string, name: string): Promise<Finding> {
  const response = await fetch(`${url}/functions/v1/${name}?token=none`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const code = await codeOf(response);
  if (response.status === 404 && code === 'share_not_found')
    return passed(name, 'is deployed, and shows nothing without a link');
  return refusedWrongly(name, response.status, code);
}

async function codeOf(response: Response): Promise<string> {
  const { code } = (await response.json().catch(() => ({}))) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

function refusedWrongly(name: string, status: number, code: string): Finding {
  return failed(
    name,
    `returned ${status} ${code}`.trim(),
    status === 401
      ? 'Deploy it with verify_jwt = false (supabase/config.toml): it checks tokens itself.'
      : 'Deploy it: supabase functions deploy.',
  );
}
