#!/usr/bin/env bash
# A job of @platformatic/job-queue whose handler returns nothing runs three times and ends as failed; one that returns null is never answered.
#
# Packages: @platformatic/job-queue 0.5.0, node 24.21.0 (the package needs Node 22.19 or later)
# Guess:    a handler that does its work and returns nothing completes its job after one run, and `enqueueAndWait` answers with undefined or null. With null, it answers with null.
# Seen:     the missing result cannot be turned into a buffer, which counts as a failure of the handler: the work is done again until no attempts are left, and the job is failed with that TypeError.
#           A job that returns null is completed after one run, but `enqueueAndWait` ends with a timeout. Both are so in memory and on disk. 0, false and "" are answered.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @platformatic/job-queue@0.5.0 node@24.21.0
cat > program.mjs <<'PROGRAM'
import { FileStorage, MemoryStorage, Queue } from '@platformatic/job-queue';

const results = { text: 'done', zero: 0, no: false, empty: '', null: null, nothing: undefined };

/** Runs one job for each result and tells what became of it. */
async function outcomes(storage) {
  const queue = new Queue({ storage, blockTimeout: 1 });
  const runs = {};
  queue.execute(async (job) => {
    runs[job.id] = (runs[job.id] ?? 0) + 1;
    return results[job.id];
  });
  await queue.start();
  const seen = {};
  for (const id of Object.keys(results)) {
    const answer = await queue.enqueueAndWait(id, { for: id }, { timeout: 3_000 }).then(JSON.stringify, (error) => error.constructor.name);
    seen[id] = { answer, state: (await queue.getStatus(id)).state, runs: runs[id] };
  }
  await queue.stop();
  return seen;
}

let asSeen = true;
for (const storage of [new MemoryStorage(), new FileStorage({ basePath: 'jobs' })]) {
  console.log(storage.constructor.name);
  for (const [id, { answer, state, runs }] of Object.entries(await outcomes(storage))) {
    console.log(`  handler returns ${JSON.stringify(results[id])}: ${state} after ${runs} run(s), answer ${answer}`);
    if (id === 'nothing') asSeen &&= state === 'failed' && runs === 3 && answer === 'JobFailedError';
    else if (id === 'null') asSeen &&= state === 'completed' && runs === 1 && answer === 'TimeoutError';
    else asSeen &&= state === 'completed' && runs === 1 && answer === JSON.stringify(results[id]);
  }
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node_modules/.bin/node program.mjs
