import { randomBytes } from 'node:crypto';
import { access, readFile, rename, writeFile } from 'node:fs/promises';

import { LocalStackError } from './errors.ts';
import { loadKeys, makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';

/**
 * Returns the keys of an installation. The first start generates them into a file that only this user may read; they are
 * kept, so that sessions, links and copied keys survive a restart.
 * @throws LocalStackError `keys_unreadable` if the file exists and is invalid
 */
export async function ensureKeys(file: string): Promise<Keys> {
  if (!(await exists(file))) await writePrivately(file, `${JSON.stringify(await makeKeys(), undefined, 2)}\n`);
  return loadKeys(file).catch((cause: unknown) => {
    throw new LocalStackError(
      'keys_unreadable',
      'the file keys.json in the data directory cannot be read as keys',
      'Move it away to generate new keys. All users then have to sign in again.',
      cause,
    );
  });
}

/** Returns a password that is generated once and then kept in a file that only this user may read. */
export async function ensurePassword(file: string): Promise<string> {
  if (!(await exists(file))) await writePrivately(file, randomBytes(24).toString('base64url'));
  return (await readFile(file, 'utf8')).trim();
}

/** Writes a file atomically, with mode 0600. */
export async function writePrivately(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, file);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
