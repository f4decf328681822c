/** Separates the bytes of a song with one method and writes the files of its stems to a folder. */
import { readSong } from '../../audio/decode/read-song.ts';
import type { StemLayout, TimeRange } from '../../schema.ts';
import type { SeparationMethod } from './method.ts';
import { piecesFor, separatePieces } from './ranges.ts';
import { separateAs } from './stem-layouts.ts';
import { writePieces, writeStems } from './stem-files.ts';
import type { StemFiles } from './stem-files.ts';

/**
 * What is separated: the folder of the stems, the size of a FLAC part (without it WAV), the layout, and the ranges that are wanted (without
 * them the whole song).
 */
export type SeparationJob = {
  folder: string;
  partBytes: number | undefined;
  layout: StemLayout | undefined;
  ranges: TimeRange[] | undefined;
  /** Length of the song, if it is known. */
  durationSec: number | undefined;
};

/** The files of the stems of each piece, or of the whole song as one. */
export type SeparatedFiles = { pieces: TimeRange[] | undefined; files: StemFiles[] };

/**
 * Separates a song in any supported format.
 * @throws AudioError
 */
export async function separateFile(
  bytes: Uint8Array,
  { folder, partBytes, layout, ranges }: SeparationJob,
  method: SeparationMethod,
): Promise<SeparatedFiles> {
  const pieces = ranges && partBytes !== undefined ? piecesFor(ranges, method) : undefined;
  const { result } = await readSong(bytes, async (chunks) =>
    pieces && partBytes !== undefined
      ? writePieces(separatePieces(layout, chunks, pieces, method), folder, partBytes, pieces.length)
      : [await writeStems(separateAs(layout, chunks, { method }), folder, partBytes)],
  );
  return { pieces, files: result };
}
