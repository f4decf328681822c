/** The encoding thread: encodes one stem from its WAV file to FLAC files beside it. */
import { serveThread } from '../../audio/thread.ts';
import type { Stem } from '../../schema.ts';
import { encodeParts } from './encode-parts.ts';
import { partFile, stemFile } from './stem-files.ts';

/** Input of the encoding thread. */
export type EncodingJob = { folder: string; stem: Stem; partBytes: number };

await serveThread(async ({ folder, stem, partBytes }: EncodingJob) =>
  encodeParts(stemFile(folder, stem), (part) => partFile(folder, stem, part), partBytes),
);
