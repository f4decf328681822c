/** Writes stems to temporary files while they are separated. */
import { join } from 'node:path';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { flacStreamEncoders } from '../../audio/encode/encode-flac.ts';
import type { StemChunk } from './block-separator.ts';
import { FlacParts } from './flac-parts.ts';
import type { PieceChunk } from './ranges.ts';
import { WavFile } from './wav-file.ts';

/** Paths of the files of each stem, in order. */
export type StemFiles = Record<Stem, string[]>;

/** A file, or files, of one stem that is being written. */
type StemWriter = {
  /** Appends stereo samples at 44.1 kHz. */
  write: (channels: readonly Float32Array[]) => void;
  /** Ends the files. Returns their paths, in order. */
  finish: () => string[];
};

type StemWriters = [Stem, StemWriter][];

/** One sample of silence: a piece behind the end of the song has files as well. */
const SILENCE = [new Float32Array(1), new Float32Array(1)];

/**
 * Writes all chunks to files: for each stem one 16-bit WAV file, or with `partBytes` FLAC files of at most that size with the same
 * samples. Memory does not depend on the length.
 */
export async function writeStems(
  chunks: AsyncIterable<StemChunk>,
  folder: string,
  partBytes?: number,
): Promise<StemFiles> {
  const writers =
    partBytes === undefined
      ? STEMS.map((stem): StemWriters[number] => [stem, new WavFile(join(folder, `${stem}.wav`))])
      : await flacWriters(folder, 'whole', partBytes);
  for await (const chunk of chunks) for (const [stem, writer] of writers) writer.write(chunk[stem]);
  return finish(writers);
}

/**
 * Writes pieces to FLAC files of at most `partBytes`. Every file belongs to one piece.
 * @param count number of pieces, which follow one another
 * @returns the files of each piece
 */
export async function writePieces(
  chunks: AsyncIterable<PieceChunk>,
  folder: string,
  partBytes: number,
  count: number,
): Promise<StemFiles[]> {
  const files: StemFiles[] = [];
  let writers: StemWriters | undefined;
  const open = (): Promise<StemWriters> => flacWriters(folder, String(files.length), partBytes);
  const endPiece = async (): Promise<void> => {
    writers ??= await open();
    files.push(finish(writers));
    writers = undefined;
  };
  for await (const { piece, stems } of chunks) {
    while (files.length < piece) await endPiece();
    writers ??= await open();
    for (const [stem, writer] of writers) writer.write(stems[stem]);
  }
  while (files.length < count) await endPiece();
  return files;
}

async function flacWriters(folder: string, name: string, partBytes: number): Promise<StemWriters> {
  const openEncoder = await flacStreamEncoders();
  return STEMS.map((stem) => [
    stem,
    new FlacParts(openEncoder, (part) => join(folder, `${stem}.${name}.${part}.flac`), partBytes),
  ]);
}

const finish = (writers: StemWriters): StemFiles =>
  Object.fromEntries(
    writers.map(([stem, writer]) => {
      const paths = writer.finish();
      if (paths.length > 0) return [stem, paths];
      writer.write(SILENCE);
      return [stem, writer.finish()];
    }),
  ) as StemFiles;
