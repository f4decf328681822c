/** Who is calling: the role and the claims that a request runs with in the database. */
import type { IncomingHttpHeaders } from 'node:http';
import { header } from './exchange.ts';
import { HttpError } from './http.ts';
import type { Exchange } from './exchange.ts';
import { ROLES, TokenError } from './keys.ts';
import type { KeyRing, Role } from './keys.ts';

/** The caller. `claims` are those of the token, or only a role where the caller showed an opaque key. */
export interface Identity {
  role: Role;
  claims: Record<string, unknown>;
}

export const SERVICE: Identity = { role: 'service_role', claims: { role: 'service_role' } };

/** Takes the token out of `Authorization: Bearer …`; undefined without the header or with another scheme. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^bearer\s+(.+)$/i.exec(header(headers, 'authorization') ?? '')?.[1]?.trim();
}

/** Refuses a request without a known API key, in the words of the hosted gateway. Returns the role of the key. */
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

/**
 * The identity behind a bearer: an opaque key or a token. A token without a role counts as anon; one with a role that is
 * not exposed is refused, since the gateway's own connection could become anything. Throws TokenError.
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
