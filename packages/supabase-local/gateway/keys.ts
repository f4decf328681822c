/**
 * Keys and tokens. Users' tokens are signed with an ES256 key that `/auth/v1/.well-known/jwks.json` publishes; the anon
 * and service-role keys are HS256 tokens of the shared secret, and `sb_publishable_…` and `sb_secret_…` are opaque.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { decodeProtectedHeader, errors, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { z } from 'zod';

export const ROLES = ['anon', 'authenticated', 'service_role'] as const;
export type Role = (typeof ROLES)[number];

const SigningKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string().min(1),
});

/** What the keys file holds. */
export const Keys = z.object({
  jwtSecret: z.string().min(32),
  signingKey: SigningKey,
  anonKey: z.string().min(1),
  serviceRoleKey: z.string().min(1),
  publishableKey: z.string().startsWith('sb_publishable_'),
  secretKey: z.string().startsWith('sb_secret_'),
});
export type Keys = z.infer<typeof Keys>;

/** Reads and checks the keys file. Throws when it is missing or does not have the shape of `Keys`. */
export async function loadKeys(file: string): Promise<Keys> {
  return Keys.parse(JSON.parse(await readFile(file, 'utf8')));
}

const TEN_YEARS = '10y';

/** Makes a fresh set of keys, for a new installation or a test. */
export async function makeKeys(): Promise<Keys> {
  const jwtSecret = randomBytes(40).toString('base64url');
  const secret = new TextEncoder().encode(jwtSecret);
  const apiKey = (role: Role): Promise<string> =>
    new SignJWT({ role, ref: 'local' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer('supabase')
      .setIssuedAt()
      .setExpirationTime(TEN_YEARS)
      .sign(secret);
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return Keys.parse({
    jwtSecret,
    signingKey: { ...(await exportJWK(privateKey)), kid: randomBytes(16).toString('hex') },
    anonKey: await apiKey('anon'),
    serviceRoleKey: await apiKey('service_role'),
    publishableKey: `sb_publishable_${randomBytes(18).toString('base64url')}`,
    secretKey: `sb_secret_${randomBytes(24).toString('base64url')}`,
  });
}

type TokenFault = 'expired' | 'signature' | 'malformed';

/** A token that cannot be believed, and in which way. */
export class TokenError extends Error {
  readonly fault: TokenFault;
  readonly expiredAt: number | undefined;

  constructor(fault: TokenFault, message: string, options: { cause?: unknown; expiredAt?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'TokenError';
    this.fault = fault;
    this.expiredAt = options.expiredAt;
  }
}

/** Signs and checks everything that is signed. */
export interface KeyRing {
  keys: Keys;
  /** Signs a user's access token with the ES256 key. `exp` and `iat` are part of the claims. */
  signUser(claims: JWTPayload): Promise<string>;
  /** Claims of a user's token or of an HS256 key. Throws TokenError. */
  verify(token: string): Promise<JWTPayload>;
  /** Signs the token of a storage link; `seconds` is its lifetime. */
  signLink(claims: JWTPayload, seconds: number): Promise<string>;
  /** Claims of a storage link. Throws TokenError. */
  verifyLink(token: string): Promise<JWTPayload>;
  /** Role that an API key stands for, or undefined if it is none of ours. */
  roleOfApiKey(key: string): Role | undefined;
  /** The public key set, with public members only. */
  jwks(): { keys: Record<string, unknown>[] };
}

function constantTimeEqual(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function toTokenError(cause: unknown): TokenError {
  if (cause instanceof errors.JWTExpired)
    return new TokenError('expired', 'token is expired', { cause, expiredAt: cause.payload.exp });
  if (cause instanceof errors.JWSSignatureVerificationFailed)
    return new TokenError('signature', 'signature verification failed', { cause });
  return new TokenError('malformed', cause instanceof Error ? cause.message : 'token cannot be read', { cause });
}

/** Imports the keys once. Throws when the signing key is not a P-256 key pair. */
export async function openKeyRing(keys: Keys): Promise<KeyRing> {
  const { kid, d: _private, ...publicKey } = keys.signingKey;
  const signing = (await importJWK({ ...keys.signingKey }, 'ES256')) as CryptoKey;
  const verifying = (await importJWK(publicKey, 'ES256')) as CryptoKey;
  const secret = new TextEncoder().encode(keys.jwtSecret);
  const links = new TextEncoder().encode(`storage-links:${keys.jwtSecret}`);
  const roles: [string, Role][] = [
    [keys.anonKey, 'anon'],
    [keys.publishableKey, 'anon'],
    [keys.serviceRoleKey, 'service_role'],
    [keys.secretKey, 'service_role'],
  ];

  async function check(token: string, key: CryptoKey | Uint8Array, algorithm: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, key, { algorithms: [algorithm] })).payload;
    } catch (error) {
      throw toTokenError(error);
    }
  }

  function algorithmOf(token: string): unknown {
    const parts = token.split('.');
    if (parts.length !== 3)
      throw new TokenError('malformed', `Expected 3 parts in JWT; got ${token === '' ? 0 : parts.length}`);
    try {
      return decodeProtectedHeader(token).alg;
    } catch (cause) {
      throw new TokenError('malformed', 'token header is not JSON', { cause });
    }
  }

  return {
    keys,
    signUser: (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' }).sign(signing),
    async verify(token) {
      const algorithm = algorithmOf(token);
      if (algorithm === 'ES256') return check(token, verifying, 'ES256');
      if (algorithm === 'HS256') return check(token, secret, 'HS256');
      throw new TokenError('malformed', 'No suitable key or wrong key type');
    },
    signLink: (claims, seconds) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(links),
    verifyLink: (token) => check(token, links, 'HS256'),
    roleOfApiKey: (key) => roles.find(([known]) => constantTimeEqual(known, key))?.[1],
    jwks: () => ({ keys: [{ ...publicKey, kid, alg: 'ES256', use: 'sig', key_ops: ['verify'], ext: true }] }),
  };
}
