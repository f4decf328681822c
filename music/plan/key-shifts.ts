/** How far the songs of a mashup are shifted to a common key. */
import type { AnalyzedSong } from '../../schema.ts';
import { keyShift, parseKey, type Key } from '../theory/keys.ts';
import { MAX_PITCH_SHIFT } from './limits.ts';

/** Returns the largest shift to a key, in semitones, among the songs whose key is known. */
export function worstKeyShift(songs: readonly AnalyzedSong[], target: Key): number {
  return Math.max(
    0,
    ...songs.map((song) => {
      const key = parseKey(song.analysis.harmonic.key);
      return key ? Math.abs(keyShift(key, target)) : 0;
    }),
  );
}

/** Returns the largest shift in the key where it is smallest, in semitones. */
export function leastKeyShift(songs: readonly AnalyzedSong[]): number {
  return Math.min(...Array.from({ length: 12 }, (_, tonic) => worstKeyShift(songs, { tonic, mode: 'major' })));
}

/** Returns the shift that a plan may ask for: MAX_PITCH_SHIFT, or one semitone above the least if that is more. */
export function maxKeyShift(songs: readonly AnalyzedSong[]): number {
  return Math.max(MAX_PITCH_SHIFT, leastKeyShift(songs) + 1);
}
