/** Runs analyses in threads. */
import { runInThread } from '../../audio/thread.ts';
import type { SongAnalysis } from '../../schema.ts';
import type { AnalysisJob } from './thread.ts';

const THREAD = new URL('./thread.ts', import.meta.url);

/**
 * Analyses a file in a thread of its own. As many run at a time as the machine has cores; further calls wait.
 * @param job its bytes become unusable here: they are transferred
 * @throws AudioError for a file that cannot be used; the reason of `signal`
 */
export function runAnalysis(
  job: AnalysisJob & { bytes: Uint8Array<ArrayBuffer> },
  signal?: AbortSignal,
): Promise<SongAnalysis> {
  return runInThread<SongAnalysis>(THREAD, job, { signal, transfer: [job.bytes.buffer] });
}
