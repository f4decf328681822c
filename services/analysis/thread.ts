/** The analysis thread: analyses the bytes of a song. */
import { openAudio } from '../../audio/decode/decode.ts';
import { serveThread } from '../../audio/thread.ts';
import { analyzeStream } from './analyze.ts';

/** Input of the analysis thread: a file in any supported format. */
export type AnalysisJob = { bytes: Uint8Array };

await serveThread(async ({ bytes }: AnalysisJob) => {
  const { chunks, warnings } = openAudio(bytes);
  const analysis = await analyzeStream(chunks);
  return warnings.length > 0 ? { ...analysis, warnings } : analysis;
});
