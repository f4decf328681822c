/** The key that is heard in a mashup, against the one that it states. */
import { fifthDistance, parseKey } from '../../../music/theory/keys.ts';
import type { SongAnalysis } from '../../../schema.ts';
import { analyzeHarmony } from '../../analysis/analyze.ts';

/** The key is heard in the middle of the file, in at most so many seconds: the analysis takes about 7 ms of processor time for each. */
const HEARD_SEC = 60;
/** Below this confidence no key is clearly heard. A choice: songs whose key is read wrongly have less than 0.2. */
const CLEAR_CONFIDENCE = 0.5;

/** Analyses the harmony in the middle of a mashup, as that of songs. */
export async function hearKey(
  channels: readonly [Float32Array, Float32Array],
  sampleRate: number,
): Promise<SongAnalysis['harmonic']> {
  const length = Math.min(channels[0].length, HEARD_SEC * sampleRate);
  const from = Math.floor((channels[0].length - length) / 2);
  const [left, right] = channels;
  return analyzeHarmony([left.subarray(from, from + length), right.subarray(from, from + length)]);
}

/**
 * Returns the steps on the circle of fifths from the heard key to the nearest of the stated ones, 0..6. Relative keys have the same
 * notes and are 0 apart. Null if no key is stated, or none is clearly heard.
 * @param stated the key of the mashup, and those of its parts that are in another
 */
export function heardKeyDistance(
  stated: readonly string[],
  heard: Pick<SongAnalysis['harmonic'], 'key' | 'key_confidence'>,
): number | null {
  const found = parseKey(heard.key);
  const keys = stated.flatMap((key) => parseKey(key) ?? []);
  if (found === null || keys.length === 0 || heard.key_confidence < CLEAR_CONFIDENCE) return null;
  return Math.min(...keys.map((key) => fifthDistance(key, found)));
}

/**
 * Of the keys in which parts of a mashup are, the one nearest to what is clearly heard; the first if none is clearly heard. If no key of
 * a song is known, the key that is clearly heard, or the planned one.
 */
export function statedKey(
  keys: readonly string[],
  heard: Pick<SongAnalysis['harmonic'], 'key' | 'key_confidence'>,
  planned: string,
): string {
  const [first] = keys;
  if (first === undefined) return heardKeyDistance([planned], heard) === null ? planned : heard.key;
  const distance = (key: string): number => heardKeyDistance([key], heard) ?? 0;
  return keys.reduce((best, key) => (distance(key) < distance(best) ? key : best), first);
}
