/** `/auth/v1`: sign-up, sign-in, refresh, user, sign-out, public keys and admin calls. */
import { z } from 'zod';
import { notImplemented, send, sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { bearerOf, identityOf, requireApiKey } from '../identity.ts';
import { TokenError } from '../keys.ts';
import { handleAdmin } from './admin.ts';
import { parseBody, requireEmail } from './context.ts';
import type { AuthContext } from './context.ts';
import { AuthError, toHttpError, versionHeaders } from './errors.ts';
import { passwordMatches, requireValidPassword } from './passwords.ts';
import { endSessions, refreshSession, sessionExists, createSession } from './sessions.ts';
import { updateUser, insertUser, userJson, findUserByEmail, findUserById } from './users.ts';
import type { UserRow } from './users.ts';

const JWKS_MAX_AGE_SEC = 600;

const SignUp = z.object({
  email: z.string().default(''),
  password: z.string().default(''),
  data: z.record(z.string(), z.unknown()).nullish(),
});
const UserChange = z.object({
  email: z.string().optional(),
  password: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});
const PasswordGrant = z.object({ email: z.string(), password: z.string() });
const RefreshGrant = z.object({ refresh_token: z.string() });
const Scope = z.enum(['global', 'local', 'others']).catch('global');

async function signUp(context: AuthContext, exchange: Exchange): Promise<void> {
  const body = await parseBody(exchange, SignUp);
  const anonymous = body.email === '' && body.password === '';
  const userMetadata = body.data ?? {};
  let user: UserRow;
  if (anonymous && !context.anonymousUsers)
    throw new AuthError(422, 'anonymous_provider_disabled', 'Anonymous sign-ins are disabled');
  if (anonymous) user = await insertUser(context.sql, { userMetadata });
  else {
    const email = requireEmail(body.email);
    requireValidPassword(body.password);
    user = await insertUser(context.sql, { email, password: body.password, userMetadata });
  }
  const session = await createSession(context.sql, context, user.id, anonymous ? 'anonymous' : 'password');
  sendJson(exchange, 200, session, versionHeaders(exchange));
}

/** What `/settings` publishes of the configuration: the members that clients read. */
function settingsOf({ anonymousUsers }: AuthContext): Record<string, unknown> {
  return {
    external: { anonymous_users: anonymousUsers, email: true, phone: false },
    disable_signup: false,
    mailer_autoconfirm: true,
    phone_autoconfirm: false,
  };
}

async function issueToken(context: AuthContext, exchange: Exchange): Promise<void> {
  const grant = exchange.query.get('grant_type');
  if (grant === 'refresh_token') {
    const body = await parseBody(exchange, RefreshGrant);
    const session = await refreshSession(context.sql, context, body.refresh_token);
    return sendJson(exchange, 200, session, versionHeaders(exchange));
  }
  if (grant !== 'password') throw notImplemented(`the grant type ${grant ?? '(none)'} of Auth`);
  const body = await parseBody(exchange, PasswordGrant);
  const user = await findUserByEmail(context.sql, body.email.trim());
  const matches = await passwordMatches(body.password, user?.encrypted_password ?? null);
  if (!user || !matches) throw new AuthError(400, 'invalid_credentials', 'Invalid login credentials');
  const session = await createSession(context.sql, context, user.id, 'password');
  sendJson(exchange, 200, session, versionHeaders(exchange));
}

/**
 * Returns the user of the bearer's session.
 * @throws AuthError 401 without a bearer, 403 for an invalid one, as on hosted Auth
 */
async function requireUser(
  context: AuthContext,
  exchange: Exchange,
): Promise<{ user: UserRow; sessionId: string | undefined }> {
  const bearer = bearerOf(exchange.request.headers);
  if (!bearer) throw new AuthError(401, 'no_authorization', 'This endpoint requires a valid Bearer token');
  const { claims } = await identityOf(context.ring, bearer);
  if (typeof claims.sub !== 'string') throw new AuthError(403, 'bad_jwt', 'invalid claim: missing sub claim');
  const user = await findUserById(context.sql, claims.sub);
  if (!user) throw new AuthError(403, 'user_not_found', 'User from sub claim in JWT does not exist');
  const sessionId = typeof claims.session_id === 'string' ? claims.session_id : undefined;
  if (sessionId && !(await sessionExists(context.sql, sessionId)))
    throw new AuthError(403, 'session_not_found', 'Session from session_id claim in JWT does not exist');
  return { user, sessionId };
}

/** `updateUser`: an e-mail address counts as confirmed and turns an anonymous user into a permanent one. */
async function updateOwnUser(context: AuthContext, exchange: Exchange): Promise<void> {
  const { user } = await requireUser(context, exchange);
  const { email, password, data } = await parseBody(exchange, UserChange);
  if (password !== undefined) {
    requireValidPassword(password);
    // An anonymous user with a password but without an e-mail address could never sign in with it.
    if (user.email === null && email === undefined)
      throw new AuthError(
        422,
        'validation_failed',
        'Updating password of an anonymous user without an email or phone is not allowed',
      );
    if (await passwordMatches(password, user.encrypted_password))
      throw new AuthError(422, 'same_password', 'New password should be different from the old password.');
  }
  const changed = await updateUser(context.sql, user.id, {
    email: email === undefined || email === '' ? undefined : requireEmail(email),
    password,
    userMetadata: data,
  });
  sendJson(exchange, 200, userJson(changed), versionHeaders(exchange));
}

async function signOut(context: AuthContext, exchange: Exchange): Promise<void> {
  const { user, sessionId } = await requireUser(context, exchange);
  await endSessions(context.sql, user.id, sessionId, Scope.parse(exchange.query.get('scope')));
  send(exchange, 204, versionHeaders(exchange));
}

async function route(context: AuthContext, exchange: Exchange, path: string): Promise<void> {
  const call = `${exchange.method} ${path}`;
  if (call === 'GET /.well-known/jwks.json')
    return sendJson(exchange, 200, context.ring.jwks(), { 'cache-control': `public, max-age=${JWKS_MAX_AGE_SEC}` });
  if (call === 'GET /health')
    return sendJson(exchange, 200, { name: 'GoTrue', version: 'local', description: 'local' });
  requireApiKey(exchange, context.ring);
  if (call === 'GET /settings') return sendJson(exchange, 200, settingsOf(context));
  if (call === 'POST /signup') return signUp(context, exchange);
  if (call === 'POST /token') return issueToken(context, exchange);
  if (call === 'POST /logout') return signOut(context, exchange);
  if (call === 'GET /user') {
    const { user } = await requireUser(context, exchange);
    return sendJson(exchange, 200, userJson(user), versionHeaders(exchange));
  }
  if (call === 'PUT /user') return updateOwnUser(context, exchange);
  if (path.startsWith('/admin/')) return handleAdmin(context, exchange, path.slice('/admin'.length));
  throw notImplemented(`${call} of Auth`);
}

/** Handles one call of Auth; `path` is what follows `/auth/v1`. Errors become HttpError. */
export async function handleAuth(context: AuthContext, exchange: Exchange, path: string): Promise<void> {
  try {
    await route(context, exchange, path);
  } catch (error) {
    if (error instanceof AuthError) throw toHttpError(exchange, error);
    if (error instanceof TokenError) {
      const message = `invalid JWT: unable to parse or verify signature, ${error.message}`;
      throw toHttpError(exchange, new AuthError(403, 'bad_jwt', message));
    }
    throw error;
  }
}
