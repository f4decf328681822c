import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';

import { PostgresStartError } from '../errors.ts';
import type { PostgresBinaries } from './binaries.ts';
import { spawnAs } from './run-as.ts';
import type { RunAs } from './run-as.ts';

/** The cluster's superuser. As on hosted Supabase, `postgres` is none. */
export const SUPERUSER = 'supabase_admin';

/** Where things lie in the directory that holds a cluster. */
export interface ClusterPaths {
  home: string;
  data: string;
  password: string;
  log: string;
}

/** The layout of a cluster's directory. */
export function clusterPaths(home: string): ClusterPaths {
  return {
    home,
    data: join(home, 'data'),
    password: join(home, 'superuser-password'),
    log: join(home, 'postgres.log'),
  };
}

/** Whether a cluster has been made here. */
export function hasCluster(paths: ClusterPaths): boolean {
  return existsSync(join(paths.data, 'PG_VERSION'));
}

/**
 * Makes a cluster: UTF-8, the same sort order on every system, password log-in only, a generated superuser password in
 * a file that only this user reads. It is built aside and renamed, so that an interrupted start leaves no half of one.
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
      ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
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
 * The superuser's password.
 * @throws PostgresStartError `password_missing` when the cluster's password file is gone
 */
export async function superuserPassword(paths: ClusterPaths): Promise<string> {
  try {
    return (await readFile(paths.password, 'utf8')).trim();
  } catch (cause) {
    throw new PostgresStartError(
      'password_missing',
      'the data directory holds a database whose superuser password file is gone',
      'Restore the file superuser-password beside the data, or move the data directory away to start anew.',
      cause,
    );
  }
}

async function runInitdb(program: string, runAs: RunAs, args: string[]): Promise<void> {
  const child = spawnAs(runAs, program, args, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: serverEnv() });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close').catch((error: unknown) => [error])) as [unknown];
  if (code === 0) return;
  const said = lastLines(output) || String(code);
  throw new PostgresStartError(
    'initdb_failed',
    `making a database failed: ${said}`,
    /GLIBC|ENOENT|not found/.test(said)
      ? 'The embedded Postgres needs glibc 2.25 or newer (not Alpine’s musl). Set DATABASE_URL to use another Postgres.'
      : 'Check that the data directory is writable and its disk is not full.',
  );
}

/** The environment of the server programs: nothing of ours, so that no PG* variable or token reaches them. */
export function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/** The last lines of a program's output, fit for an error message. */
export function lastLines(text: string, count = 4): string {
  return text.trim().split('\n').slice(-count).join(' | ');
}
