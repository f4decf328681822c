/** Decodes damaged files with limits on time and memory. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import type { FuzzJob, FuzzOutcome } from './fuzz-thread.ts';
import { songFiles, unusualFiles } from './song-files.ts';

/** Time limit of a file of a few kilobytes, also on a busy machine. */
const HANG_MS = 30_000;
/** Limit for loaded decoders, dropped instances that are not collected yet, and decoded sound. */
const MEMORY_LIMIT_BYTES = 500 * 2 ** 20;

/**
 * Decodes `count` damaged files. Returns the number of files for each outcome: `decoded` or an error code.
 * @throws Error if a file gives neither a typed error nor plausible sound, or exceeds the limits
 */
export async function fuzzDecoders(count: number): Promise<Record<string, number>> {
  const job: FuzzJob = { files: [...(await songFiles()), ...(await unusualFiles())], from: 0, to: count };
  const before = process.memoryUsage.rss();
  let peak = before;
  const outcomes: Record<string, number> = {};
  const worker = new Worker(new URL('fuzz-thread.ts', import.meta.url), {
    workerData: job,
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    const hang = (): void => reject(new Error(`Seed ${seen} of ${job.files[seen % job.files.length]!.name} hangs.`));
    let watch = setTimeout(hang, HANG_MS);
    worker.on('message', (outcome: FuzzOutcome) => {
      clearTimeout(watch);
      watch = setTimeout(hang, HANG_MS);
      seen = outcome.seed + 1;
      if (outcome.fault) reject(new Error(`Seed ${outcome.seed} of ${outcome.name}: ${outcome.fault}`));
      outcomes[outcome.result] = (outcomes[outcome.result] ?? 0) + 1;
      peak = Math.max(peak, process.memoryUsage.rss());
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      clearTimeout(watch);
      if (seen === count) resolve();
      else reject(new Error(`The thread ended at seed ${seen}.`));
    });
  }).finally(() => worker.terminate());
  assert.ok(peak - before < MEMORY_LIMIT_BYTES, `memory rose by ${Math.round((peak - before) / 2 ** 20)} MB`);
  return outcomes;
}
