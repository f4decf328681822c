/** Runs analyses in threads. */
import { runInThread } from '../../audio/thread.ts';
import type { SongAnalysis } from '../../schema.ts';

const THREAD = new URL('./thread.ts', import.meta.url);

/**
 * Analyses a file, or the sum of several, in a thread of its own. As many run at a time as the machine has cores; further calls wait.
 * @param job its files become unusable here: they are transferred
 * @throws AudioError for a file that cannot be used; the reason of `signal`
 */
export function runAnalysis(job: { files: Uint8Array<ArrayBuffer>[] }, signal?: AbortSignal): Promise<SongAnalysis> {
  return runInThread<SongAnalysis>(THREAD, job, { signal, transfer: job.files.map(({ buffer }) => buffer) });
}
