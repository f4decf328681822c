/**
 * Sessions. A session has a chain of refresh tokens, of which the last one is active. A used token is accepted again for a few
 * seconds, or until its successor is used, since the response may have been lost or two tabs may have refreshed at the same
 * time: it returns the active token. Any older token ends the session.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import type { KeyRing } from '../keys.ts';
import { AuthError } from './errors.ts';
import { userJson, findUserById } from './users.ts';
import type { UserRow } from './users.ts';

/** How long a used refresh token is accepted again, in seconds. */
const REUSE_INTERVAL_SEC = 10;

type SignInMethod = 'password' | 'anonymous';

/** The issuer of tokens. `tokenSeconds` is the lifetime of an access token. */
export interface Issuer {
  ring: KeyRing;
  issuer: () => string;
  tokenSeconds: number;
}

const newToken = (): string => randomBytes(18).toString('base64url');

async function sessionJson(
  issuer: Issuer,
  user: UserRow,
  session: { id: string; method: SignInMethod; startedAt: Date },
  refreshToken: string,
): Promise<Record<string, unknown>> {
  const now = Math.floor(Date.now() / 1000);
  const expiresAt = now + issuer.tokenSeconds;
  const accessToken = await issuer.ring.signUser({
    iss: issuer.issuer(),
    sub: user.id,
    aud: 'authenticated',
    exp: expiresAt,
    iat: now,
    email: user.email ?? '',
    phone: '',
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: 'authenticated',
    aal: 'aal1',
    amr: [{ method: session.method, timestamp: Math.floor(session.startedAt.getTime() / 1000) }],
    session_id: session.id,
    is_anonymous: user.is_anonymous,
  });
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: issuer.tokenSeconds,
    expires_at: expiresAt,
    refresh_token: refreshToken,
    user: userJson(user),
  };
}

/**
 * Creates a session for a user and returns it as the client stores it.
 * @throws AuthError 400 `invalid_credentials` if the user no longer exists
 */
export async function createSession(
  sql: Sql,
  issuer: Issuer,
  userId: string,
  method: SignInMethod,
): Promise<Record<string, unknown>> {
  const id = randomUUID();
  const token = newToken();
  const user = await sql.begin(async (transaction) => {
    const [row] = await transaction<UserRow[]>`
      update auth.users set last_sign_in_at = now() where id = ${userId} returning *`;
    if (!row) throw new AuthError(400, 'invalid_credentials', 'Invalid login credentials');
    await transaction`
      insert into auth.sessions (id, user_id, created_at, updated_at, aal) values (${id}, ${userId}, now(), now(), 'aal1')`;
    await transaction`
      insert into auth.refresh_tokens (token, user_id, revoked, created_at, updated_at, session_id)
      values (${token}, ${userId}, false, now(), now(), ${id})`;
    return row;
  });
  return sessionJson(issuer, user, { id, method, startedAt: new Date() }, token);
}

interface TokenRow {
  token: string;
  parent: string | null;
  revoked: boolean;
  session_id: string;
  user_id: string;
  age: number;
}

const alreadyUsed = (): AuthError =>
  new AuthError(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used');

async function rotate(transaction: TransactionSql, used: TokenRow): Promise<string | undefined> {
  const [active] = await transaction<TokenRow[]>`
    select * from auth.refresh_tokens
    where session_id = ${used.session_id} and not revoked order by id desc limit 1`;
  if (used.revoked) {
    if (active && (used.age <= REUSE_INTERVAL_SEC || active.parent === used.token)) return active.token;
    await transaction`delete from auth.sessions where id = ${used.session_id}`;
    return undefined;
  }
  const token = newToken();
  await transaction`
    update auth.refresh_tokens set revoked = true, updated_at = now() where session_id = ${used.session_id} and not revoked`;
  await transaction`
    insert into auth.refresh_tokens (token, user_id, revoked, created_at, updated_at, parent, session_id)
    values (${token}, ${used.user_id}, false, now(), now(), ${used.token}, ${used.session_id})`;
  await transaction`update auth.sessions set updated_at = now(), refreshed_at = now() where id = ${used.session_id}`;
  return token;
}

/**
 * Exchanges a refresh token for new tokens of its session.
 * @throws AuthError 400 `refresh_token_not_found` or `refresh_token_already_used`
 */
export async function refreshSession(sql: Sql, issuer: Issuer, token: string): Promise<Record<string, unknown>> {
  const found = await sql.begin(async (transaction) => {
    const [session] = await transaction<{ id: string; created_at: Date }[]>`
      select s.id, s.created_at from auth.sessions s
      join auth.refresh_tokens t on t.session_id = s.id
      where t.token = ${token} for update of s`;
    if (!session) return undefined;
    const [row] = await transaction<TokenRow[]>`
      select *, extract(epoch from clock_timestamp() - updated_at)::float8 as age
      from auth.refresh_tokens where token = ${token}`;
    const user = row && (await findUserById(transaction, row.user_id));
    if (!row || !user) return undefined;
    return { user, session, next: await rotate(transaction, row) };
  });
  if (!found) throw new AuthError(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found');
  if (!found.next) throw alreadyUsed();
  const method = found.user.is_anonymous ? 'anonymous' : 'password';
  const session = { id: found.session.id, method, startedAt: found.session.created_at } as const;
  return sessionJson(issuer, found.user, session, found.next);
}

type SignOutScope = 'global' | 'local' | 'others';

/** Deletes all sessions of the user, only this one, or all others. */
export async function endSessions(
  sql: Sql,
  userId: string,
  sessionId: string | undefined,
  scope: SignOutScope,
): Promise<void> {
  if (scope === 'local') await sql`delete from auth.sessions where id = ${sessionId ?? null}`;
  else if (scope === 'others')
    await sql`delete from auth.sessions where user_id = ${userId} and id is distinct from ${sessionId ?? null}`;
  else await sql`delete from auth.sessions where user_id = ${userId}`;
}

/** Tests whether the session exists. */
export async function sessionExists(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql`select 1 from auth.sessions where id = ${id}`;
  return rows.length > 0;
}
