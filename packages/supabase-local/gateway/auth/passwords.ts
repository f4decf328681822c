/** Passwords, kept as scrypt hashes (RFC 7914) with the parameters beside the salt. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { AuthError } from './errors.ts';

const COST = 2 ** 14;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const KEY_BYTES = 32;
const MIN_LENGTH = 6;
const MAX_BYTES = 72;

function derive(password: string, salt: Buffer, cost: number, blockSize: number, parallel: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, { N: cost, r: blockSize, p: parallel }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** Refuses a password that is too short or too long for the hash of hosted Auth. */
export function requireValidPassword(password: string): void {
  if (password.length < MIN_LENGTH)
    throw new AuthError(422, 'weak_password', `Password should be at least ${MIN_LENGTH} characters.`, {
      weak_password: { reasons: ['length'] },
    });
  if (Buffer.byteLength(password) > MAX_BYTES)
    throw new AuthError(400, 'validation_failed', `Password cannot be longer than ${MAX_BYTES} characters`);
}

/** `scrypt$N$r$p$salt$key`, salt and key in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST, BLOCK_SIZE, PARALLEL);
  return ['scrypt', COST, BLOCK_SIZE, PARALLEL, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/**
 * Whether the password belongs to the hash. Without a hash it takes as long and says no, so that the time of an answer
 * does not tell who has an account.
 */
export async function passwordMatches(password: string, hash: string | null): Promise<boolean> {
  const [scheme, cost, blockSize, parallel, salt = '', key = ''] = (hash ?? '').split('$');
  if (scheme !== 'scrypt') {
    await derive(password, randomBytes(16), COST, BLOCK_SIZE, PARALLEL);
    return false;
  }
  const expected = Buffer.from(key, 'base64url');
  const actual = await derive(
    password,
    Buffer.from(salt, 'base64url'),
    Number(cost),
    Number(blockSize),
    Number(parallel),
  );
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
