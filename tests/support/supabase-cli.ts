/** The real Supabase CLI, downloaded by the tests that use it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** Not a dependency of the project: it has 135 MB, and only tests use it. */
const CLI = 'supabase@3.1.0';
const TIMEOUT_MS = 240_000;

/** Runs `supabase db push` against a database and returns its output. */
export async function dbPush(url: string): Promise<string> {
  const { stdout, stderr } = await run('npx', ['--yes', CLI, 'db', 'push', `--remote=${url}`, '--yes'], {
    cwd: ROOT,
    timeout: TIMEOUT_MS,
    env: { ...process.env, CI: '1', DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1' },
  });
  return stdout + stderr;
}
