/** Tokens of a socket: who they identify, when they expire, and the messages for invalid ones. */
import type { Identity } from '../identity.ts';
import { identityOf } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { RealtimeError } from './errors.ts';

/** A caller. `expiresAt` is the expiry of the token in seconds since 1970; undefined for an opaque key. */
export interface Caller {
  token: string;
  identity: Identity;
  expiresAt: number | undefined;
}

/** How the token was sent: the error messages differ. */
type TokenSource = 'join' | 'push';

/** Returns the message for a token that expired at a time in seconds since 1970. */
export function expiredMessage(expiredAt: number): string {
  const seconds = Math.max(0, Math.floor(Date.now() / 1000) - expiredAt);
  return `Token has expired ${seconds} seconds ago`;
}

function toRealtimeError(error: TokenError, source: TokenSource): RealtimeError {
  const prefix = (name: string): string => (source === 'join' ? `${name}: ` : '');
  if (error.fault === 'expired')
    return new RealtimeError(`${prefix('InvalidJWTToken')}${expiredMessage(error.expiredAt ?? 0)}`, { cause: error });
  if (error.fault === 'signature')
    return new RealtimeError(`${prefix('JwtSignatureError')}Failed to validate JWT signature`, { cause: error });
  return new RealtimeError(`${prefix('MalformedJWT')}The token provided is not a valid JWT`, { cause: error });
}

/**
 * Checks a token or key and returns the caller.
 * @throws RealtimeError
 */
export async function readToken(ring: KeyRing, token: string, source: TokenSource): Promise<Caller> {
  let identity: Identity;
  try {
    identity = await identityOf(ring, token);
  } catch (error) {
    throw error instanceof TokenError ? toRealtimeError(error, source) : error;
  }
  if (token.startsWith('sb_')) return { token, identity, expiresAt: undefined };
  const { exp, role } = identity.claims;
  if (typeof exp !== 'number' || typeof role !== 'string')
    throw new RealtimeError('Fields `role` and `exp` are required in JWT');
  return { token, identity, expiresAt: exp };
}
