/** The analysis thread: analyses the bytes of a song. */
import { serveThread } from '../../audio/thread.ts';
import { analyzeFile } from './analyze-file.ts';

/** Input of the analysis thread: a file in any supported format. */
export type AnalysisJob = { bytes: Uint8Array };

await serveThread(async ({ bytes }: AnalysisJob) => analyzeFile(bytes));
