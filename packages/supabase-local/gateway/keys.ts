/**
 * Keys and tokens. Users' tokens are signed with an ES256 key that `/auth/v1/.well-known/jwks.json` publishes. The anon and
 * service-role keys are HS256 tokens of the shared secret. `sb_publishable_…` and `sb_secret_…` are opaque keys.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { decodeProtectedHeader, errors, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { z } from 'zod';

/** Roles that the API exposes. */
export const ROLES = ['anon', 'authenticated', 'service_role'] as const;
/** A role that the API exposes. */
export type Role = (typeof ROLES)[number];

const SigningKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string().min(1),
});

/** The content of the keys file. */
export const Keys = z.object({
  jwtSecret: z.string().min(32),
  signingKey: SigningKey,
  anonKey: z.string().min(1),
  serviceRoleKey: z.string().min(1),
  publishableKey: z.string().startsWith('sb_publishable_'),
  secretKey: z.string().startsWith('sb_secret_'),
});
/** The keys of an installation. */
export type Keys = z.infer<typeof Keys>;

/**
 * Reads the keys file.
 * @throws the file system's error if it is missing, SyntaxError or ZodError if its content is invalid
 */
export async function loadKeys(file: string): Promise<Keys> {
  return Keys.parse(JSON.parse(await readFile(file, 'utf8')));
}

const TEN_YEARS = '10y';

/** Generates a set of keys, for a new installation or a test. */
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

/** Why a token is invalid. */
type TokenFault = 'expired' | 'signature' | 'malformed';

/** An invalid token. `expiredAt` is in seconds since 1970. */
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

/** Signs and verifies tokens. */
export interface KeyRing {
  keys: Keys;
  /** Signs a user's access token with the ES256 key. `exp` and `iat` are part of the claims. */
  signUser(claims: JWTPayload): Promise<string>;
  /** Returns the claims of a user's token or of an HS256 key. @throws TokenError */
  verify(token: string): Promise<JWTPayload>;
  /** Signs the token of a storage link; `seconds` is its lifetime. */
  signLink(claims: JWTPayload, seconds: number): Promise<string>;
  /** Returns the claims of a storage link. @throws TokenError */
  verifyLink(token: string): Promise<JWTPayload>;
  /** Returns the role of an API key, or undefined for an unknown key. */
  roleOfApiKey(key: string): Role | undefined;
  /** Returns the key set with public members only. */
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

/** Imports the keys. Rejects if the signing key is not a P-256 key pair. */
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

  async function verify(token: string, key: CryptoKey | Uint8Array, algorithm: string): Promise<JWTPayload> {
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
      if (algorithm === 'ES256') return verify(token, verifying, 'ES256');
      if (algorithm === 'HS256') return verify(token, secret, 'HS256');
      throw new TokenError('malformed', 'No suitable key or wrong key type');
    },
    signLink: (claims, seconds) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(links),
    verifyLink: (token) => verify(token, links, 'HS256'),
    roleOfApiKey: (key) => roles.find(([known]) => constantTimeEqual(known, key))?.[1],
    jwks: () => ({ keys: [{ ...publicKey, kid, alg: 'ES256', use: 'sig', key_ops: ['verify'], ext: true }] }),
  };
}
