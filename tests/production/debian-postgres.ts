/** A server of Debian's packages, of the same version as the programs pg_dump and pg_restore in the search path. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { CleanUpScope } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const SUPERUSER = 'supabase_admin';
const PASSWORD = 'test';
/** Postgres does not run as root. */
const NOBODY = 65_534;

/** Starts a server on a free port. Returns undefined if it is not installed. */
export async function startDebianPostgres(scope: CleanUpScope): Promise<{ superuserUrl: string } | undefined> {
  const { stdout } = await run('pg_dump', ['--version']);
  const [major = ''] = /\d+/.exec(stdout) ?? [];
  const programs = `/usr/lib/postgresql/${major}/bin`;
  const isThere = await access(join(programs, 'initdb')).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const folder = await mkdtemp(join(tmpdir(), 'mashup-debian-pg-'));
  await chmod(folder, 0o700);
  if (identity.uid !== undefined) await chown(folder, NOBODY, NOBODY);
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, PASSWORD);
  if (identity.uid !== undefined) await chown(passwordFile, NOBODY, NOBODY);
  const data = join(folder, 'data');
  await run(
    join(programs, 'initdb'),
    [
      ...[`--pgdata=${data}`, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'],
    ],
    { ...identity, cwd: '/' },
  );
  const port = await freePort();
  const settings = { fsync: 'off', wal_level: 'logical', max_connections: '200', unix_socket_directories: '' };
  const child = spawn(
    join(programs, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...identity, cwd: '/', stdio: 'ignore' },
  );
  scope.after(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGQUIT');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  const superuserUrl = `postgresql://${SUPERUSER}:${PASSWORD}@127.0.0.1:${port}/postgres`;
  await until('the server accepts connections', () => isReady(superuserUrl));
  await createWorkerRole(superuserUrl);
  return { superuserUrl };
}

/** Before version 16 only a superuser may create a role with BYPASSRLS, except on Supabase, where an extension allows it. */
async function createWorkerRole(superuserUrl: string): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1 });
  await sql`create role mashup_worker nologin bypassrls`;
  await sql.end();
}

async function isReady(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  return sql`select 1`
    .then(
      () => true,
      () => false,
    )
    .finally(() => sql.end({ timeout: 1 }));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
