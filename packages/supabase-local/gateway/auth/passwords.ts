/** Passwords are stored as scrypt hashes (RFC 7914) with their parameters and salt. */
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

/**
 * Checks the length of a password: 6 characters to 72 bytes, the limit of the hash of hosted Auth.
 * @throws AuthError 422 `weak_password` or 400 `validation_failed`
 */
export function requireValidPassword(password: string): void {
  if (password.length < MIN_LENGTH)
    throw new AuthError(422, 'weak_password', `Password should be at least ${MIN_LENGTH} characters.`, {
      weak_password: { reasons: ['length'] },
    });
  if (Buffer.byteLength(password) > MAX_BYTES)
    throw new AuthError(400, 'validation_failed', `Password cannot be longer than ${MAX_BYTES} characters`);
}

/** Hashes a password: `scrypt$N$r$p$salt$key`, with salt and key in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST, BLOCK_SIZE, PARALLEL);
  return ['scrypt', COST, BLOCK_SIZE, PARALLEL, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/**
 * Tests a password against a hash. Without a hash it takes the same time and returns false, so that the response time does
 * not reveal which accounts exist.
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
