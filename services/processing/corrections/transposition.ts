/** Transpositions of one song against the others. */
import { MAX_VOICE_SHIFT } from '../plan/tuning.ts';

/** What a semitone of shift costs, in correlation. A choice. */
const COST_OF_SHIFT = 0.005;
/** A shift of the music under a voice costs this much less than a shift of the voice. */
const OTHERS_FACTOR = 0.8;
/** Largest change of a shift that is considered, in semitones. */
const MAX_CHANGE = 6;

/** Semitones that are added to the shift of the voice's song and of all other songs, and what that costs in correlation. */
export type Transposition = { voice: number; others: number; cost: number };

/** A ring of values, one for each semitone, rotated so that it begins `by` places later. */
export const rotated = (ring: readonly number[], by: number): number[] =>
  ring.map((_, i) => ring[(((i + by) % ring.length) + ring.length) % ring.length]!);

/**
 * The cheapest transposition after which one song is `raise` semitones higher against all others than now; undefined if none keeps
 * the songs in reach. The songs under a voice tolerate a shift better than the voice.
 * @param now shifts in semitones by song
 */
export function cheapestTransposition(
  raise: number,
  singer: string,
  now: ReadonlyMap<string, number>,
): Transposition | undefined {
  const inReach = (shift: number, by: number): boolean =>
    Math.abs(shift + by) <= Math.max(MAX_VOICE_SHIFT, Math.abs(shift));
  const others = [...now].filter(([id]) => id !== singer).map(([, shift]) => shift);
  let best: Transposition | undefined;
  for (let voice = -MAX_CHANGE; voice <= MAX_CHANGE; voice++) {
    if (!inReach(now.get(singer) ?? 0, voice)) continue;
    for (let other = -MAX_CHANGE; other <= MAX_CHANGE; other++) {
      if ((voice - other - raise) % 12 !== 0 || !others.every((shift) => inReach(shift, other))) continue;
      const cost = COST_OF_SHIFT * (Math.abs(voice) + OTHERS_FACTOR * Math.abs(other));
      if (!best || cost < best.cost) best = { voice, others: other, cost };
    }
  }
  return best;
}
