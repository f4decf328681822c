import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import postgres from 'postgres';

import { PortTakenError, startPostgres } from '../../local/index.ts';
import { hydrateLinks } from '../../local/postgres/binaries.ts';
import { isAlive } from '../../local/processes.ts';
import { until } from '../support/until.ts';
import { runElsewhere, scratchDir } from './local-fixture.ts';

const FAST = { fsync: 'off', full_page_writes: 'off' };
const LAUNCHER = pathToFileURL(join(import.meta.dirname, '../../local/postgres/launcher.ts')).href;

async function queryValue(url: string, query: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql.unsafe(query).values();
    return String(row?.[0]);
  } finally {
    await sql.end();
  }
}

test('a cluster starts, requires its password, and stops', async (t) => {
  const dataDir = await scratchDir(t);
  const server = await startPostgres({ dataDir, port: 0, settings: FAST });
  t.after(() => server.stop('immediate'));
  assert.equal(server.reused, false);
  assert.equal(await queryValue(server.superuserUrl, 'show wal_level'), 'logical');
  assert.equal(await queryValue(server.superuserUrl, 'show listen_addresses'), '127.0.0.1');
  assert.equal((await stat(join(dataDir, 'superuser-password'))).mode & 0o777, 0o600);
  const wrong = new URL(server.superuserUrl);
  wrong.password = 'guess';
  await assert.rejects(queryValue(wrong.href, 'select 1'), { code: '28P01' });
  await server.stop();
  assert.equal(isAlive(server.pid), false);
});

test('a server whose launcher was killed is taken over with its data', async (t) => {
  const dataDir = await scratchDir(t);
  const owner = runElsewhere(
    t,
    `import { startPostgres } from ${JSON.stringify(LAUNCHER)};
     const { pid, port } = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: 0, settings: { fsync: 'off' } });
     console.log(JSON.stringify({ pid, port }));
     setInterval(() => {}, 1000);`,
  );
  const first = (await owner.next()) as { pid: number; port: number };
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  const alias = join(await scratchDir(t), 'alias');
  await symlink(dataDir, alias);
  const server = await startPostgres({ dataDir: alias, port: first.port });
  t.after(() => server.stop('immediate'));
  assert.deepEqual({ reused: server.reused, pid: server.pid, port: server.port }, { reused: true, ...first });
});

test('a killed server is started again, also if its pid file names another process', async (t) => {
  const dataDir = await scratchDir(t);
  const first = await startPostgres({ dataDir, port: 0, settings: FAST });
  await queryValue(first.superuserUrl, 'create table kept as select 1 as n');
  process.kill(first.pid, 'SIGKILL');
  await until('the server has exited', () => !isAlive(first.pid));
  const second = await startPostgres({ dataDir, port: 0, settings: FAST });
  assert.equal(await queryValue(second.superuserUrl, 'select n from kept'), '1');
  const pidFile = join(dataDir, 'data', 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  await second.stop('immediate');
  await until('the server has exited', () => !isAlive(second.pid));
  await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));
  const third = await startPostgres({ dataDir, port: 0, settings: FAST });
  t.after(() => third.stop('immediate'));
  assert.equal(third.reused, false);
  assert.equal(await queryValue(third.superuserUrl, 'select n from kept'), '1');
});

test('a port in use is reported with the process that holds it', async (t) => {
  const dataDir = await scratchDir(t);
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => void holder.close());
  const { port } = holder.address() as AddressInfo;
  await assert.rejects(startPostgres({ dataDir, port }), (error: unknown) => {
    assert.ok(error instanceof PortTakenError);
    assert.equal(error.code, 'port_taken');
    assert.equal(error.port, port);
    assert.equal(error.holder?.pid, process.pid);
    assert.match(error.message, /node/);
    return true;
  });
});

const onlyRoot = process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root needs another identity';

test('root can run a database in a directory that no other user can enter', { skip: onlyRoot }, async (t) => {
  const dataDir = join(await scratchDir(t), 'private');
  await mkdir(dataDir, { mode: 0o700 });
  const server = await startPostgres({ dataDir: join(dataDir, 'postgres'), port: 0, settings: FAST });
  t.after(() => server.stop('immediate'));
  assert.equal(await queryValue(server.superuserUrl, 'select 1'), '1');
  const again = await startPostgres({ dataDir: join(dataDir, 'postgres'), port: 0 });
  assert.equal(again.reused, true);
});

test('missing library links are created, as after a blocked install script', async (t) => {
  const root = await scratchDir(t);
  const lib = join(root, 'native', 'lib');
  await mkdir(lib, { recursive: true });
  await writeFile(join(lib, 'libx.so.1.2'), 'library');
  await writeFile(
    join(root, 'native', 'pg-symlinks.json'),
    JSON.stringify([
      { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' },
      { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so' },
    ]),
  );
  await hydrateLinks(root);
  assert.equal(await readFile(join(lib, 'libx.so.1'), 'utf8'), 'library');
  assert.equal(await readFile(join(lib, 'libx.so'), 'utf8'), 'library');
});
