/** The real Supabase CLI, downloaded by the tests that use it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
/** Not a dependency of the project: it has 135 MB, and only tests use it. */
export const CLI_VERSION = '3.1.0';
/** The last version before the default target of `db push` changed. */
export const EARLIER_CLI_VERSION = '2.117.0';
const TIMEOUT_MS = 240_000;

/** Runs `supabase db push` against a database, as docs/how-to/hosted.md says, and returns its output. */
export async function dbPush(url: string, version = CLI_VERSION): Promise<string> {
  // The embedded Postgres has no TLS, which 2.117 requires unless the URL says otherwise.
  const target = new URL(url);
  target.searchParams.set('sslmode', 'disable');
  const args = ['--yes', `supabase@${version}`, 'db', 'push', '--db-url', target.href, '--yes'];
  const { stdout, stderr } = await run('npx', args, {
    cwd: ROOT,
    timeout: TIMEOUT_MS,
    env: { ...process.env, CI: '1', DO_NOT_TRACK: '1', SUPABASE_TELEMETRY_DISABLED: '1' },
  });
  return stdout + stderr;
}
