import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { PostgresStartError } from '../errors.ts';
import type { PostgresBinaries } from './binaries.ts';
import { spawnAs } from './run-as.ts';
import type { RunAs } from './run-as.ts';

/** The cluster's superuser. As on hosted Supabase, `postgres` is not a superuser. */
export const SUPERUSER = 'supabase_admin';

/** First version whose own locales sort equally on every system. Earlier ones get the locale C, which sorts the same. */
const BUILTIN_LOCALES_SINCE = 17;

/** Paths in the directory of a cluster. */
export interface ClusterPaths {
  home: string;
  data: string;
  password: string;
  log: string;
}

/** Returns the paths in a cluster's directory. */
export function clusterPaths(home: string): ClusterPaths {
  return {
    home,
    data: join(home, 'data'),
    password: join(home, 'superuser-password'),
    log: join(home, 'postgres.log'),
  };
}

/** Tests whether the directory contains a cluster. */
export function hasCluster(paths: ClusterPaths): boolean {
  return existsSync(join(paths.data, 'PG_VERSION'));
}

/**
 * Creates a cluster: UTF-8, the same sort order on every system, password login only, a generated superuser password in a
 * file that only this user may read. It is built under a temporary name and renamed, so that an interrupted start leaves no
 * incomplete cluster.
 * @param durable false skips flushing files to disk (tests)
 * @throws PostgresStartError `initdb_failed`
 */
export async function createCluster(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  runAs: RunAs,
  durable: boolean,
): Promise<void> {
  const building = `${paths.data}.${process.pid}`;
  const passwordForInitdb = `${building}.password`;
  const password = randomBytes(24).toString('base64url');
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true, mode: 0o700 });
  try {
    await writeFile(passwordForInitdb, password, { mode: 0o600 });
    if (runAs.kind === 'uid') {
      await chown(building, runAs.uid, runAs.uid);
      await chown(passwordForInitdb, runAs.uid, runAs.uid);
    }
    await runInitdb(binaries.initdb, runAs, [
      ...['--pgdata', building, '--username', SUPERUSER, '--pwfile', passwordForInitdb],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      ...((await majorVersion(binaries.initdb)) >= BUILTIN_LOCALES_SINCE
        ? ['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8']
        : []),
      ...['--no-instructions', ...(durable ? [] : ['--no-sync'])],
    ]);
    await writeFile(paths.password, password, { mode: 0o600 });
    await chmod(paths.password, 0o600);
    await rename(building, paths.data);
  } finally {
    await rm(building, { recursive: true, force: true });
    await rm(passwordForInitdb, { force: true });
  }
}

/**
 * Returns the superuser's password.
 * @throws PostgresStartError `password_missing` if the password file does not exist
 */
export async function superuserPassword(paths: ClusterPaths): Promise<string> {
  try {
    return (await readFile(paths.password, 'utf8')).trim();
  } catch (cause) {
    throw new PostgresStartError(
      'password_missing',
      'the data directory contains a database, but its superuser password file is missing',
      'Restore the file superuser-password beside the data, or move the data directory away to create a new database.',
      cause,
    );
  }
}

/** Returns the major version of the server programs. */
async function majorVersion(initdb: string): Promise<number> {
  const { stdout } = await promisify(execFile)(initdb, ['--version'], { env: serverEnv() });
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1] ?? 0);
}

async function runInitdb(program: string, runAs: RunAs, args: string[]): Promise<void> {
  const child = spawnAs(runAs, program, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: serverEnv() });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close').catch((error: unknown) => [error])) as [unknown];
  if (code === 0) return;
  const message = lastLines(output) || String(code);
  throw new PostgresStartError(
    'initdb_failed',
    `creating the database failed: ${message}`,
    /GLIBC|ENOENT|not found/.test(message)
      ? 'The embedded Postgres needs glibc 2.25 or newer (not Alpine’s musl). Set DATABASE_URL to use another Postgres.'
      : 'Check that the data directory is writable and its disk is not full.',
  );
}

/** Returns the environment of the server programs: it contains no PG* variable and no secret. */
export function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/** Returns the last lines of a program's output, for error messages. */
export function lastLines(text: string, count = 4): string {
  return text.trim().split('\n').slice(-count).join(' | ');
}
