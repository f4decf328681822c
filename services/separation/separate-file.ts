/** Separates the bytes of a song with one method and writes the files of its stems to a folder. */
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { readSong } from '../../audio/decode/read-song.ts';
import { SAMPLE_RATE } from '../../audio/sample-rate.ts';
import type { StemLayout, TimeRange } from '../../schema.ts';
import type { StemChunk } from './block-separator.ts';
import type { SeparationMethod } from './method.ts';
import { joinStems } from './own-stems/join.ts';
import { openOwnFiles } from './own-stems/read-own.ts';
import type { OwnPaths, OwnStemsPlan } from './own-stems/read-own.ts';
import { needsSeparation } from './own-stems/recipe.ts';
import { costOfPieces, piecesFor, separatePieces } from './ranges.ts';
import type { PieceChunk } from './ranges.ts';
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
  /** Files of stems that the user gave. */
  own?: OwnStemsJob | undefined;
};

/** Paths of the files of the user. Without a song the song is their sum. */
export type OwnStemsJob = { paths: OwnPaths; hasSong: boolean };

/** The files of the stems of each piece, or of the whole song as one; `own`: of a song with stems of its user. */
export type SeparatedFiles = {
  pieces: TimeRange[] | undefined;
  files: StemFiles[];
  own?: { isSeparated: boolean; warnings: string[] };
};

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
 * @param plan of the stems of the user, if there are any
 * @throws AudioError
 */
export async function separateFile(
  bytes: Uint8Array,
  job: SeparationJob,
  method: SeparationMethod,
  plan?: OwnStemsPlan,
): Promise<SeparatedFiles> {
  const { folder, partBytes, layout, own } = job;
  const pieces = piecesOf(job, method);
  if (own && plan) {
    const work = async (chunks?: AsyncIterable<StereoChunk>): Promise<StemFiles[]> => {
      const opened = await openOwnFiles(chunks, own.paths, plan.fits);
      const stems = joinStems(opened, plan.recipe, { layout, pieces, method });
      return pieces && partBytes !== undefined
        ? writePieces(stems, folder, partBytes, pieces.length)
        : [await writeStems(stemsOf(stems), folder, partBytes)];
    };
    const files = own.hasSong ? (await readSong(bytes, work)).result : await work();
    return { pieces, files, own: { isSeparated: needsSeparation(plan.recipe), warnings: plan.warnings } };
  }
  const { result } = await readSong(bytes, async (chunks) =>
    pieces && partBytes !== undefined
      ? writePieces(separatePieces(layout, chunks, pieces, method), folder, partBytes, pieces.length)
      : [await writeStems(separateAs(layout, chunks, { method }), folder, partBytes)],
  );
  return { pieces, files: result };
}

async function* stemsOf(chunks: AsyncIterable<PieceChunk>): AsyncGenerator<StemChunk> {
  for await (const { stems } of chunks) yield stems;
}
