/** The separation thread: bytes of a song in, four WAV files in a folder out. */
import { openAudio } from '../../audio/decode/decode.ts';
import { serveThread } from '../../audio/thread.ts';
import { separate } from './separator.ts';
import { writeStems } from './stem-files.ts';

export type SeparationJob = { bytes: Uint8Array; folder: string };

await serveThread(async ({ bytes, folder }: SeparationJob) => writeStems(separate(openAudio(bytes).chunks), folder));
