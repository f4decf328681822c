/** Separates the bytes of a song with one method and writes the files of its stems to a folder. */
import { readSong } from '../../audio/decode/read-song.ts';
import type { StemLayout, TimeRange } from '../../schema.ts';
import type { SeparationMethod } from './method.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import { costOfPieces, piecesFor, separatePieces } from './ranges.ts';
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

/** The pieces of a job; undefined for the whole song. Files of pieces are FLAC. */
const piecesOf = ({ ranges, partBytes }: SeparationJob, method: SeparationMethod): TimeRange[] | undefined =>
  ranges && partBytes !== undefined ? piecesFor(ranges, method) : undefined;

/** What a job costs, in the unit of the method: an estimate where the length of the song is not known. */
export function costOfFile(job: SeparationJob, method: SeparationMethod): number {
  const pieces = piecesOf(job, method);
  return pieces ? costOfPieces(pieces, method) : method.costOf(Math.round((job.durationSec ?? 0) * SAMPLE_RATE));
}

/**
 * Separates a song in any supported format.
 * @throws AudioError
 */
export async function separateFile(
  bytes: Uint8Array,
  job: SeparationJob,
  method: SeparationMethod,
): Promise<SeparatedFiles> {
  const { folder, partBytes, layout } = job;
  const pieces = piecesOf(job, method);
  const { result } = await readSong(bytes, async (chunks) =>
    pieces && partBytes !== undefined
      ? writePieces(separatePieces(layout, chunks, pieces, method), folder, partBytes, pieces.length)
      : [await writeStems(separateAs(layout, chunks, { method }), folder, partBytes)],
  );
  return { pieces, files: result };
}
