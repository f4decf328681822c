/** The separation thread: separates the bytes of a song and writes the files of its stems to a folder. */
import { readSong } from '../../audio/decode/read-song.ts';
import { serveThread } from '../../audio/thread.ts';
import type { StemLayout, TimeRange } from '../../schema.ts';
import { separatePieces } from './ranges.ts';
import { separateAs } from './stem-layouts.ts';
import { writePieces, writeStems } from './stem-files.ts';
import type { StemFiles } from './stem-files.ts';

/**
 * Input of the separation thread: a file in any supported format, the folder of the stems, the size of a FLAC part (without it WAV), the
 * layout, and the pieces that are wanted (without them the whole song).
 */
export type SeparationJob = {
  bytes: Uint8Array;
  folder: string;
  partBytes: number | undefined;
  layout: StemLayout | undefined;
  pieces: TimeRange[] | undefined;
};

await serveThread(async ({ bytes, folder, partBytes, layout, pieces }: SeparationJob): Promise<StemFiles[]> => {
  const { result } = await readSong(bytes, async (chunks) =>
    pieces && partBytes !== undefined
      ? writePieces(separatePieces(layout, chunks, pieces), folder, partBytes, pieces.length)
      : [await writeStems(separateAs(layout, chunks), folder, partBytes)],
  );
  return result;
});
