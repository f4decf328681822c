/** Writes stems to temporary files while they are separated. */
import { join } from 'node:path';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { flacStreamEncoders } from '../../audio/encode/encode-flac.ts';
import type { StemChunk } from './block-separator.ts';
import { FlacParts } from './flac-parts.ts';
import { WavFile } from './wav-file.ts';

/** A file, or files, of one stem that is being written. */
type StemWriter = {
  /** Appends stereo samples at 44.1 kHz. */
  write: (channels: readonly Float32Array[]) => void;
  /** Ends the files. Returns their paths, in order. */
  finish: () => string[];
};

/** Path of a stem's WAV file in `folder`. */
function wavPath(folder: string, stem: Stem): string {
  return join(folder, `${stem}.wav`);
}

/**
 * Writes all chunks to files: for each stem one 16-bit WAV file, or with `partBytes` FLAC files of at most that size with the same
 * samples. Memory does not depend on the length.
 * @returns the paths of each stem, in order
 */
export async function writeStems(
  chunks: AsyncIterable<StemChunk>,
  folder: string,
  partBytes?: number,
): Promise<Record<Stem, string[]>> {
  const openEncoder = partBytes === undefined ? undefined : await flacStreamEncoders();
  const writers = STEMS.map((stem): [Stem, StemWriter] => {
    if (openEncoder === undefined || partBytes === undefined) return [stem, new WavFile(wavPath(folder, stem))];
    return [stem, new FlacParts(openEncoder, (part) => join(folder, `${stem}.${part}.flac`), partBytes)];
  });
  for await (const chunk of chunks) for (const [stem, writer] of writers) writer.write(chunk[stem]);
  return Object.fromEntries(writers.map(([stem, writer]) => [stem, writer.finish()])) as Record<Stem, string[]>;
}
