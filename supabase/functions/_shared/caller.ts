/** Authentication: identifies the caller and creates a client with exactly that caller's rights. */
import { createClient } from '@supabase/supabase-js';
import type { AuthError, JwtHeader, JwtPayload, SupabaseClient } from '@supabase/supabase-js';
import { timingSafeEqual } from 'hono/utils/buffer';
import { decodeJwt } from 'jose';
import { ApiError } from './api-error.ts';
import { isSameIssuer, readEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';

/** An authenticated caller. */
export interface Caller {
  role: 'authenticated' | 'service_role';
  /** Null for the service role. */
  userId: string | null;
  /** A client with the caller's rights. */
  supabase: SupabaseClient;
}

/** A signed-in user. */
export type UserCaller = Caller & { userId: string };

const STATELESS = { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false };

let verifier: SupabaseClient | undefined;

/**
 * Authenticates the signed-in user of a request. Tokens are verified with the project's JWKS; tokens of older projects,
 * signed with the shared secret, by a request to Auth. API keys are rejected.
 * @throws ApiError 401 `sign_in_required`, 503 `auth_unreachable`, 500 `env_missing`
 */
export async function requireUser(request: Request): Promise<UserCaller> {
  const environment = readEnvironment();
  const token = bearerOf(request);
  // An API key, or a JWT of another role, is rejected without a request to Auth.
  if (token === undefined || claimedRole(token) !== 'authenticated') throw signInRequired('No user token was sent.');
  verifier ??= createClient(environment.url, environment.apiKey, { auth: STATELESS });
  const { data, error } = await verifier.auth.getClaims(token).catch((cause: unknown) => {
    throw authUnreachable(cause);
  });
  if (error && isUnreachable(error)) throw authUnreachable(error);
  if (error || !data || data.claims.role !== 'authenticated' || !isFromThisProject(data, environment.issuer)) {
    throw signInRequired('The session is no longer valid.');
  }
  return { role: 'authenticated', userId: data.claims.sub, supabase: clientFor(environment, token, request) };
}

function isUnreachable(error: AuthError): boolean {
  const isServerError = error.status === undefined || error.status === 0 || error.status >= 500;
  return isServerError && error.name === 'AuthRetryableFetchError';
}

/**
 * Whether this project's Auth issued the token. The signature alone does not show this: an imported signing key may also
 * sign for other projects. A token of the shared secret has been checked by Auth itself.
 */
function isFromThisProject(token: { claims: JwtPayload; header: JwtHeader }, issuer: string | undefined): boolean {
  return issuer === undefined || token.header.alg.startsWith('HS') || isSameIssuer(String(token.claims.iss), issuer);
}

/**
 * As {@link requireUser}, but also accepts the service role, by its own keys only.
 * @throws ApiError 401 `sign_in_required`, 503 `auth_unreachable`, 500 `env_missing`
 */
export async function requireUserOrService(request: Request): Promise<Caller> {
  const environment = readEnvironment();
  const token = bearerOf(request) ?? request.headers.get('apikey') ?? undefined;
  for (const key of environment.serviceKeys) {
    if (token !== undefined && (await timingSafeEqual(token, key))) {
      return {
        role: 'service_role',
        userId: null,
        supabase: createClient(environment.url, key, { auth: STATELESS }),
      };
    }
  }
  return requireUser(request);
}

/**
 * Creates a client with the rights of the service role.
 * @throws ApiError 500 `env_missing`
 */
export function serviceClient(): SupabaseClient {
  const { serviceKeys, url } = readEnvironment();
  const [key] = serviceKeys;
  if (key !== undefined) return createClient(url, key, { auth: STATELESS });
  throw new ApiError(500, 'env_missing', 'Supabase env not configured', {
    hint: 'The operator must set a secret key or the service role key for the functions.',
  });
}

/** The trace context of the request is passed on: `insert_job` writes it into the job. */
function clientFor(environment: Environment, token: string, request: Request): SupabaseClient {
  const traceparent = request.headers.get('traceparent');
  return createClient(environment.url, environment.apiKey, {
    auth: STATELESS,
    global: { headers: { Authorization: `Bearer ${token}`, ...(traceparent === null ? {} : { traceparent }) } },
  });
}

function bearerOf(request: Request): string | undefined {
  return /^bearer\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}

/** The role that a token claims; nothing is verified yet. */
function claimedRole(token: string): unknown {
  try {
    return decodeJwt(token).role;
  } catch {
    return undefined;
  }
}

function signInRequired(details: string): ApiError {
  return new ApiError(401, 'sign_in_required', 'Sign in required', {
    hint: 'Sign in, also anonymously, and send the session token as bearer token.',
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
