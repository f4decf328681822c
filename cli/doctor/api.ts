/** The API: Auth, REST, Storage, Realtime and the edge functions, with the key that everybody has. */
import { createClient, REALTIME_SUBSCRIBE_STATES } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema.ts';
import { examine, well, wrong } from './check.ts';
import type { Finding } from './check.ts';

const TIMEOUT_MS = 5_000;
const REALTIME_TIMEOUT_MS = 15_000;
const FUNCTIONS = [
  'generate-mashup',
  'get-mashup-status',
  'create-signed-upload',
  'claude-mashup-iteration',
  'stem-separation',
];

/** Examines the API of a project. */
export async function examineApi(url: string, key: string): Promise<Finding[]> {
  const supabase = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
  const down = `Check that ${url} is the right project and that it runs.`;
  try {
    return (
      await Promise.all([
        examine('auth', down, () => examineAuth(url)),
        examine('rest', down, () => examineRest(supabase)),
        examine('storage', down, () => examineStorage(supabase)),
        examine('realtime', down, () => examineRealtime(supabase)),
        examine('functions', down, () => Promise.all(FUNCTIONS.map((name) => examineFunction(url, key, name)))),
      ])
    ).flat();
  } finally {
    supabase.realtime.disconnect();
  }
}

async function examineAuth(url: string): Promise<Finding> {
  const response = await fetch(`${url}/auth/v1/.well-known/jwks.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  if (response.ok) return well('auth', 'publishes its signing keys');
  return wrong('auth', `/auth/v1/.well-known/jwks.json answered ${response.status}`, 'See the log of Auth.');
}

async function examineRest(supabase: SupabaseClient): Promise<Finding> {
  const { error, status } = await supabase.rpc('get_mashup', { job_id: crypto.randomUUID() });
  // A visitor may not call it; that it is refused for that reason shows that it is there.
  if (error?.code === '42501' || !error) return well('rest', 'the SQL functions are exposed');
  if (status === 0) return wrong('rest', 'does not answer', 'See the log of the API.');
  return wrong('rest', `${error.message} (${error.code})`, 'Run `mashup migrate`, and check the key.');
}

async function examineStorage(supabase: SupabaseClient): Promise<Finding> {
  const { error } = await supabase.storage.from(BUCKET).list('uploads', { limit: 1 });
  if (!error) return well('storage', 'answers');
  return wrong('storage', error.message, 'See the log of Storage.');
}

function examineRealtime(supabase: SupabaseClient): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const silent = wrong(
    'realtime',
    'the stream does not become ready',
    'See the log of Realtime; run `mashup migrate`.',
  );
  const timer = setTimeout(() => resolve(silent), REALTIME_TIMEOUT_MS);
  supabase
    .channel('doctor')
    .on('system', {}, (message: { status?: string; message?: string }) => {
      if (message.status === 'ok') resolve(well('realtime', 'changes of mashup_jobs are streamed'));
      else
        resolve(wrong('realtime', message.message ?? 'refused', 'Run `mashup migrate`: the publication is missing.'));
    })
    .on('postgres_changes', { event: '*', schema: 'public', table: 'mashup_jobs' }, () => {})
    .subscribe((status, error) => {
      if (status === REALTIME_SUBSCRIBE_STATES.SUBSCRIBED) return;
      resolve(wrong('realtime', error?.message ?? status, 'See the log of Realtime.'));
    });
  return promise.finally(() => clearTimeout(timer));
}

async function examineFunction(url: string, key: string, name: string): Promise<Finding> {
  const response = await fetch(`${url}/functions/v1/${name}`, {
    method: 'POST',
    headers: { apikey: key, 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = (await response.json().catch(() => ({}))) as { code?: unknown };
  if (response.status === 401 && body.code === 'sign_in_required')
    return well(name, 'asks for a sign-in, as it should');
  return wrong(
    name,
    `answered ${response.status} ${typeof body.code === 'string' ? body.code : ''}`.trim(),
    response.status === 401
      ? 'Deploy it with verify_jwt = false (supabase/config.toml): it checks tokens itself.'
      : 'Deploy it: supabase functions deploy.',
  );
}
