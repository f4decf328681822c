import { randomBytes } from 'node:crypto';
import { access, readFile, rename, writeFile } from 'node:fs/promises';

import { LocalStackError } from './errors.ts';
import { loadKeys, makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';

/**
 * The keys of an installation: made on the first start into a file that only this user reads, then kept, so that
 * sessions, links and copied keys outlive a restart.
 * @throws LocalStackError `keys_unreadable` when the file is there and is not what it should be
 */
export async function ensureKeys(file: string): Promise<Keys> {
  if (!(await isThere(file))) await writePrivately(file, `${JSON.stringify(await makeKeys(), undefined, 2)}\n`);
  return loadKeys(file).catch((cause: unknown) => {
    throw new LocalStackError(
      'keys_unreadable',
      'the file keys.json in the data directory cannot be read as keys',
      'Move it away to have new keys made; everybody signed in has to sign in again.',
      cause,
    );
  });
}

/** A password that is made once and then kept in a file that only this user reads. */
export async function ensurePassword(file: string): Promise<string> {
  if (!(await isThere(file))) await writePrivately(file, randomBytes(24).toString('base64url'));
  return (await readFile(file, 'utf8')).trim();
}

/** Writes a file with mode 0600 so that a reader sees the old content or the new, never half. */
export async function writePrivately(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, content, { mode: 0o600 });
  await rename(draft, file);
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
