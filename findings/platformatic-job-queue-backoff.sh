#!/usr/bin/env bash
# @platformatic/job-queue announces exponential backoff, but makes all attempts within milliseconds.
#
# Packages: @platformatic/job-queue 0.5.0, node 24.21.0 (the package needs Node 22.19 or later)
# Guess:    its README promises that a failing job is tried again after pauses that grow exponentially, so each pause is longer than the one before it.
# Seen:     there is no pause. Five attempts of a failing job are over in some milliseconds, in memory and on disk, so a service that is away for a second fails the job.
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

const ATTEMPTS = 5;

/** The times of all attempts of a job that needs a service which is away for a second. */
async function attemptTimes(storage) {
  const queue = new Queue({ storage, blockTimeout: 1 });
  const times = [];
  let backAt = 0;
  queue.execute(async () => {
    times.push(performance.now());
    if (performance.now() < backAt) throw new Error('service is away');
    return 'done';
  });
  await queue.start();
  backAt = performance.now() + 1_000;
  const answer = await queue.enqueueAndWait('job', {}, { maxAttempts: ATTEMPTS, timeout: 60_000 }).catch((error) => error.constructor.name);
  await queue.stop();
  return { times, answer };
}

let asSeen = true;
for (const storage of [new MemoryStorage(), new FileStorage({ basePath: 'jobs' })]) {
  const { times, answer } = await attemptTimes(storage);
  const pauses = times.slice(1).map((time, i) => time - times[i]);
  console.log(`${storage.constructor.name}: ${times.length} attempts, pauses of ${pauses.map((pause) => pause.toFixed(1)).join(', ')} ms; the job ends with ${answer}`);
  asSeen &&= times.length === ATTEMPTS && pauses.every((pause) => pause < 100) && answer === 'JobFailedError';
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node_modules/.bin/node program.mjs
