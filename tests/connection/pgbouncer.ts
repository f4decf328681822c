/** Runs PgBouncer in front of a test database. */
import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/ports.ts';
import type { CleanUpScope } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const FOUND = ['pgbouncer', '/usr/sbin/pgbouncer'].find((path) => spawnSync(path, ['--version']).status === 0);

/** Why tests of PgBouncer are skipped; false if it is installed. */
export const SKIP_PGBOUNCER = FOUND === undefined ? 'pgbouncer is missing (Debian: apt-get install pgbouncer)' : false;

/**
 * Starts PgBouncer in a pool mode, with its default settings but for those given.
 * @param urls of the users that log in, as on the server
 * @param own settings of PgBouncer by name
 * @returns the URLs through PgBouncer
 */
export async function usePgBouncer<T extends string>(
  scope: CleanUpScope,
  mode: 'session' | 'transaction',
  urls: Record<T, string>,
  own: Record<string, string | number> = {},
): Promise<Record<T, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const all = Object.values<string>(urls).map((url) => new URL(url));
  const users = all.map(({ username, password }) => `"${username}" "${password}"`);
  await writeFile(join(folder, 'users.txt'), users.join('\n'));
  const settings = [
    '[databases]',
    `* = host=127.0.0.1 port=${all[0]?.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${join(folder, 'users.txt')}`,
    `pool_mode = ${mode}`,
    ...Object.entries(own).map(([name, value]) => `${name} = ${value}`),
  ];
  await writeFile(join(folder, 'pgbouncer.ini'), settings.join('\n'));
  // PgBouncer does not run as root.
  const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(FOUND ?? 'pgbouncer', [...asNobody, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  scope.after(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  await until('PgBouncer listens', () => accepts(port));
  const through = {} as Record<T, string>;
  for (const [name, text] of Object.entries<string>(urls)) {
    const url = new URL(text);
    url.port = String(port);
    through[name as T] = url.href;
  }
  return through;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
