/** The analysis thread: bytes of a song in, its analysis out. */
import { openAudio } from '../../audio/decode/decode.ts';
import { serveThread } from '../../audio/thread.ts';
import { analyzeStream } from './analyze.ts';

export type AnalysisJob = { bytes: Uint8Array };

await serveThread(async ({ bytes }: AnalysisJob) => {
  const { chunks, warnings } = openAudio(bytes);
  const analysis = await analyzeStream(chunks);
  return warnings.length > 0 ? { ...analysis, warnings } : analysis;
});
