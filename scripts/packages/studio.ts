/** Builds the studio for the engine's package. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './paths.ts';

/** Builds the studio into `folder`. It reads its project from the host that serves it. */
export async function buildStudio(folder: string): Promise<void> {
  const { VITE_SUPABASE_URL: _url, VITE_SUPABASE_ANON_KEY: _key, ...env } = process.env;
  await mkdir(dirname(folder), { recursive: true });
  await promisify(execFile)(process.execPath, [join(ROOT, 'studio', 'build.ts'), folder], { env });
}
