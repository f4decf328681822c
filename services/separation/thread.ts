/** The separation thread: separates the bytes of a song and writes four WAV files to a folder. */
import { openAudio } from '../../audio/decode/decode.ts';
import { serveThread } from '../../audio/thread.ts';
import { separate } from './separator.ts';
import { writeStems } from './stem-files.ts';

/** Input of the separation thread: a file in any supported format, and the folder of the stems. */
export type SeparationJob = { bytes: Uint8Array; folder: string };

await serveThread(async ({ bytes, folder }: SeparationJob) => writeStems(separate(openAudio(bytes).chunks), folder));
