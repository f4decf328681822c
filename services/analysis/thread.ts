/** The analysis thread: analyses the bytes of a song. */
import { serveThread } from '../../audio/thread.ts';
import { analyzeFile } from './analyze-file.ts';
import { sumOfFiles } from './sum-of-files.ts';

/** Input of the analysis thread: files in any supported format whose sum is the song. */
export type AnalysisJob = { files: Uint8Array[] };

await serveThread(async ({ files }: AnalysisJob) =>
  files.length === 1 ? analyzeFile(files[0]!) : analyzeFile(await sumOfFiles(files), { maxBytes: Infinity }),
);
