/** The separation thread: separates the bytes of a song and writes the files of its stems to a folder. */
import { readSong } from '../../audio/decode/read-song.ts';
import { serveThread } from '../../audio/thread.ts';
import type { StemLayout } from '../../schema.ts';
import { separateAs } from './stem-layouts.ts';
import { writeStems } from './stem-files.ts';

/** Input of the separation thread: a file in any supported format, the folder of the stems, the size of a FLAC part (without it WAV), and the layout. */
export type SeparationJob = { bytes: Uint8Array; folder: string; partBytes?: number; layout?: StemLayout };

await serveThread(async ({ bytes, folder, partBytes, layout }: SeparationJob) => {
  const { result } = await readSong(bytes, (chunks) => writeStems(separateAs(layout, chunks), folder, partBytes));
  return result;
});
