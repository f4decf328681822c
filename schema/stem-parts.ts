/** Stems in parts: FLAC files that follow one another, each small enough for Storage. */

/** Bytes of 16-bit stereo at 44.1 kHz for each second of a stem. */
const RAW_BYTES_PER_SEC = 44_100 * 4;
/** Largest ratio of FLAC to its samples: a block that cannot be compressed is stored as it is, behind its header. */
const MAX_FLAC_RATIO = 1.002;
/** A part ends when less than this is left in it: a piece of samples that is not encoded yet, and the header of the file. */
export const STEM_PART_RESERVE_BYTES = 200_000;

/** Returns the files of a stem in order: one, or its parts. */
export function filesOf(stem: string | readonly string[]): readonly string[] {
  return typeof stem === 'string' ? [stem] : stem;
}

/** Returns the number of parts that a stem of this length may need at most. */
export function maxStemParts(seconds: number, partBytes: number): number {
  return Math.max(
    1,
    Math.ceil((seconds * RAW_BYTES_PER_SEC * MAX_FLAC_RATIO) / Math.max(1, partBytes - STEM_PART_RESERVE_BYTES)),
  );
}
