/** The analysis thread: bytes of a song in, its analysis out. */
import { openAudio } from '../audio/decode.ts';
import { serveThread } from '../audio/thread.ts';
import { analyzeStream } from './analyze.ts';

export type AnalysisJob = { bytes: Uint8Array };

await serveThread(({ bytes }: AnalysisJob) => analyzeStream(openAudio(bytes).chunks));
