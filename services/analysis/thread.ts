/** The analysis thread: bytes of a song in, its analysis out. */
import { decodeAudio } from '../audio/decode.ts';
import { serveThread } from '../audio/thread.ts';
import { analyzeSong } from './analyze.ts';

export type AnalysisJob = { bytes: Uint8Array };

await serveThread(async ({ bytes }: AnalysisJob) => {
  const { channels } = await decodeAudio(bytes);
  return analyzeSong(channels);
});
