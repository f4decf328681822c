/** Tokens of a socket: what they stand for, until when, and the words for those that are refused. */
import type { Identity } from '../identity.ts';
import { identityOf } from '../identity.ts';
import { TokenError } from '../keys.ts';
import type { KeyRing } from '../keys.ts';
import { RealtimeError } from './errors.ts';

/** A caller with the end of the token, in seconds since 1970; undefined for an opaque key. */
export interface Caller {
  token: string;
  identity: Identity;
  expiresAt: number | undefined;
}

/** Where a token is refused: the texts differ. */
type Occasion = 'join' | 'push';

export function secondsAgo(expiredAt: number): string {
  const seconds = Math.max(0, Math.floor(Date.now() / 1000) - expiredAt);
  return `Token has expired ${seconds} seconds ago`;
}

function refusal(error: TokenError, occasion: Occasion): RealtimeError {
  const prefix = (name: string): string => (occasion === 'join' ? `${name}: ` : '');
  if (error.fault === 'expired')
    return new RealtimeError(`${prefix('InvalidJWTToken')}${secondsAgo(error.expiredAt ?? 0)}`, { cause: error });
  if (error.fault === 'signature')
    return new RealtimeError(`${prefix('JwtSignatureError')}Failed to validate JWT signature`, { cause: error });
  return new RealtimeError(`${prefix('MalformedJWT')}The token provided is not a valid JWT`, { cause: error });
}

/** Checks a token or key. Throws RealtimeRefusal. */
export async function readToken(ring: KeyRing, token: string, occasion: Occasion): Promise<Caller> {
  let identity: Identity;
  try {
    identity = await identityOf(ring, token);
  } catch (error) {
    throw error instanceof TokenError ? refusal(error, occasion) : error;
  }
  if (token.startsWith('sb_')) return { token, identity, expiresAt: undefined };
  const { exp, role } = identity.claims;
  if (typeof exp !== 'number' || typeof role !== 'string')
    throw new RealtimeError('Fields `role` and `exp` are required in JWT');
  return { token, identity, expiresAt: exp };
}
