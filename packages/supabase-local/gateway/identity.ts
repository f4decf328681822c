/** The caller of a request: role and claims, under which it runs in the database. */
import type { IncomingHttpHeaders } from 'node:http';
import { header } from './exchange.ts';
import { HttpError } from './http.ts';
import type { Exchange } from './exchange.ts';
import { ROLES, TokenError } from './keys.ts';
import type { KeyRing, Role } from './keys.ts';

/** A caller. `claims` are those of the token, or only the role for an opaque API key. */
export interface Identity {
  role: Role;
  claims: Record<string, unknown>;
}

/** The service role. */
export const SERVICE: Identity = { role: 'service_role', claims: { role: 'service_role' } };

/** Returns the token of `Authorization: Bearer …`; undefined without the header or with another scheme. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^bearer\s+(.+)$/i.exec(header(headers, 'authorization') ?? '')?.[1]?.trim();
}

/**
 * Returns the role of the request's API key.
 * @throws HttpError 401 without a valid key, with the messages of the hosted gateway
 */
export function requireApiKey(exchange: Exchange, ring: KeyRing): Role {
  const key = header(exchange.request.headers, 'apikey') ?? exchange.query.get('apikey') ?? undefined;
  if (!key)
    throw new HttpError(401, {
      message: 'No API key found in request',
      hint: 'No `apikey` request header or url param was found.',
    });
  const role = ring.roleOfApiKey(key);
  if (!role)
    throw new HttpError(401, {
      message: 'Invalid API key',
      hint: 'Double check your Supabase `anon` or `service_role` API key.',
    });
  return role;
}

/** Start of the User-Agent of every browser. */
const BROWSER = /^mozilla\//i;

/**
 * Whether a request carries a secret key and comes from a browser, which the hosted gateway refuses. The service role's JWT is
 * accepted, as it is there.
 */
export function isSecretInBrowser(headers: IncomingHttpHeaders, query: URLSearchParams): boolean {
  if (!BROWSER.test(header(headers, 'user-agent') ?? '')) return false;
  const keys = [header(headers, 'apikey'), query.get('apikey'), bearerOf(headers)];
  return keys.some((key) => key?.startsWith('sb_secret_'));
}

/** The response to a secret key from a browser. */
export const SECRET_IN_BROWSER = {
  message: 'Forbidden use of secret API key in browser',
  hint: 'Secret API keys can only be used in a protected environment and should never be used in a browser. Delete this secret API key immediately.',
};

/**
 * Returns the identity of a bearer: an opaque key or a token. A token without a role is `anon`. A token with another role
 * than the exposed ones is invalid, whoever signed it: the gateway's superuser connection could take any role.
 * @throws TokenError
 */
export async function identityOf(ring: KeyRing, bearer: string): Promise<Identity> {
  const known = bearer.startsWith('sb_') ? ring.roleOfApiKey(bearer) : undefined;
  if (known) return { role: known, claims: { role: known } };
  const claims = await ring.verify(bearer);
  const role = claims.role ?? 'anon';
  const exposed = ROLES.find((name) => name === role);
  if (!exposed) throw new TokenError('malformed', 'The role of the token is not one that the API exposes');
  return { role: exposed, claims };
}
