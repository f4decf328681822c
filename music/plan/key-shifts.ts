/** How far the songs of a mashup are shifted to a common key. */
import type { AnalyzedSong, Plan } from '../../schema.ts';
import { isSameKey, keyShift, parseKey, type Key } from '../theory/keys.ts';
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

/** Returns the plan with the shifts of an earlier one in the same key, so that the songs sound in the keys that its render found. */
export function withShiftsOf(plan: Plan, earlier: Plan | undefined): Plan {
  const { global } = plan.masterplan;
  const before = earlier?.masterplan.global;
  if (global.shifts || !before?.shifts || !isSameKey(before.targetKey, global.targetKey)) return plan;
  return { ...plan, masterplan: { ...plan.masterplan, global: { ...global, shifts: before.shifts } } };
}

/**
 * Returns the shifts of songs whose mashup moves from one key to another; undefined if there are none. A song may move by an octave less or
 * more: its notes fit the others as before, and no shift is larger than six semitones.
 */
export function shiftsInKey(
  shifts: Readonly<Record<string, number>> | undefined,
  from: Key | null,
  to: Key,
): Record<string, number> | undefined {
  if (!shifts || !from) return undefined;
  const by = keyShift(from, to);
  return Object.fromEntries(Object.entries(shifts).map(([id, shift]) => [id, withinOctave(shift + by)]));
}

/** The shift of -5 to 6 semitones that leads to the same pitch classes. */
function withinOctave(shift: number): number {
  const up = ((shift % 12) + 12) % 12;
  return up > 6 ? up - 12 : up;
}

/** Returns the smallest shift in semitones from one key to another; 0 if one of them is not known. */
export function semitonesBetween(from: string, to: string): number {
  const [a, b] = [parseKey(from), parseKey(to)];
  return a && b ? keyShift(a, b) : 0;
}
