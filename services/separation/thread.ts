/** The separation thread: separates the bytes of a song and writes the files of its stems to a folder. */
import { readSong } from '../../audio/decode/read-song.ts';
import { serveThread } from '../../audio/thread.ts';
import { separate } from './separator.ts';
import { writeStems } from './stem-files.ts';

/** Input of the separation thread: a file in any supported format, the folder of the stems, and the size of a FLAC part; without it WAV. */
export type SeparationJob = { bytes: Uint8Array; folder: string; partBytes?: number };

await serveThread(async ({ bytes, folder, partBytes }: SeparationJob) => {
  const { result } = await readSong(bytes, (chunks) => writeStems(separate(chunks), folder, partBytes));
  return result;
});
