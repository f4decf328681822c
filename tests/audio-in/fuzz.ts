/** Runs mutated files through the decoders, under a watch. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import type { FuzzJob, FuzzOutcome } from './fuzz-thread.ts';
import { songFiles } from './songs.ts';

/** A file of a few kilobytes that takes longer than this hangs, even on a busy machine. */
const HANG_MS = 30_000;
/** Decoders in memory, dropped instances that wait for the collector, and the sound itself. */
const MEMORY_LIMIT_BYTES = 500 * 2 ** 20;

/**
 * Decodes `count` mutated files and demands of each a typed error or plausible sound, in time and in bounded memory.
 * Returns how often each outcome came.
 */
export async function fuzzDecoders(count: number): Promise<Record<string, number>> {
  const job: FuzzJob = { files: await songFiles(), from: 0, to: count };
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
    const hang = (): void =>
      reject(new Error(`Round ${seen} hangs: seed ${seen} of ${job.files[seen % job.files.length]!.name}.`));
    let watch = setTimeout(hang, HANG_MS);
    worker.on('message', (outcome: FuzzOutcome) => {
      clearTimeout(watch);
      watch = setTimeout(hang, HANG_MS);
      seen = outcome.round + 1;
      if (outcome.fault) reject(new Error(`Seed ${outcome.round} of ${outcome.name}: ${outcome.fault}`));
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
