/** Who is calling, and a client with that caller's rights and no other. */
import { createClient } from '@supabase/supabase-js';
import type { JwtHeader, JwtPayload, SupabaseClient } from '@supabase/supabase-js';
import { isSameIssuer, readEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { ApiError } from './http.ts';

export interface Caller {
  /** The user, or the service role. */
  role: 'authenticated' | 'service_role';
  /** Null for the service role. */
  userId: string | null;
  supabase: SupabaseClient;
}

const STATELESS = { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false };

let verifier: SupabaseClient | undefined;

/**
 * The signed-in user behind a request. Tokens are checked by the project's JWKS; those of older projects, signed with
 * the shared secret, by asking Auth. An API key is nobody.
 * @throws ApiError 401 `sign_in_required`
 */
export async function requireUser(request: Request): Promise<Caller & { userId: string }> {
  const environment = readEnvironment();
  const token = bearerOf(request);
  // A key that is no JWT, or a JWT of another role, is told apart without asking anybody.
  if (token === undefined || roleClaimed(token) !== 'authenticated') throw signInRequired('No user token was sent.');
  verifier ??= createClient(environment.url, environment.apiKey, { auth: STATELESS });
  const { data, error } = await verifier.auth.getClaims(token).catch((cause: unknown) => {
    throw authUnreachable(cause);
  });
  if (
    error &&
    (error.status === undefined || error.status >= 500 || error.status === 0) &&
    error.name === 'AuthRetryableFetchError'
  ) {
    throw authUnreachable(error);
  }
  if (error || !data || data.claims.role !== 'authenticated' || !isFromHere(data, environment.issuer))
    throw signInRequired('The session is not valid any more.');
  return { role: 'authenticated', userId: data.claims.sub, supabase: clientFor(environment, token) };
}

/**
 * Whether this project's Auth made the token. The project's key may sign for others as well, where its owner brought it along;
 * a token of the shared secret was shown to Auth itself.
 */
function isFromHere(token: { claims: JwtPayload; header: JwtHeader }, issuer: string | undefined): boolean {
  return issuer === undefined || token.header.alg.startsWith('HS') || isSameIssuer(String(token.claims.iss), issuer);
}

/**
 * As {@link requireUser}, but takes the service role as well: only its own keys make somebody the service role.
 * @throws ApiError 401 `sign_in_required`
 */
export async function requireUserOrService(request: Request): Promise<Caller> {
  const environment = readEnvironment();
  const token = bearerOf(request) ?? request.headers.get('apikey') ?? undefined;
  for (const key of environment.serviceKeys) {
    if (token !== undefined && (await isSame(token, key))) {
      return {
        role: 'service_role',
        userId: null,
        supabase: createClient(environment.url, key, { auth: STATELESS }),
      };
    }
  }
  return requireUser(request);
}

function clientFor(environment: Environment, token: string): SupabaseClient {
  return createClient(environment.url, environment.apiKey, {
    auth: STATELESS,
    global: { headers: { Authorization: `Bearer ${token}` } },
  });
}

function bearerOf(request: Request): string | undefined {
  return /^bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

/** The role that a token claims; nothing is checked yet. */
function roleClaimed(token: string): string | undefined {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims === 'object' && claims !== null && 'role' in claims ? String(claims.role) : undefined;
  } catch {
    return undefined;
  }
}

/** Compares digests, so that the time taken tells nothing of the key. */
async function isSame(a: string, b: string): Promise<boolean> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  const [left, right] = await Promise.all([digest(a), digest(b)]);
  return left.every((byte, index) => byte === right[index]);
}

function signInRequired(details: string): ApiError {
  return new ApiError(401, 'sign_in_required', 'Sign in required', {
    hint: 'Sign in (an anonymous sign-in will do) and send the session token as bearer.',
    details,
  });
}

function authUnreachable(cause: unknown): ApiError {
  return new ApiError(503, 'auth_unreachable', 'The sign-in service cannot be reached', {
    hint: 'Try again in a few seconds.',
    retryAfterSec: 5,
    cause,
  });
}
