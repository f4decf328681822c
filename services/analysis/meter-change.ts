/** A change between bars of four and of three beats at one tempo. */
import { findPhase, meterRows, similarityOf } from './meter.ts';
import type { BeatFeatures } from './meter.ts';

/** Fewest beats on each side of a change. */
const MIN_SIDE_BEATS = 24;
/** Smallest mean lead, on each side, of beats a bar apart over those of the other meter. */
const MIN_LEAD = 0.45;
/** Distance from the estimated change within which the bars of both meters may start together. */
const REACH_BEATS = 9;

/** `at` is the index of the first beat of the later meter. Phases are indices of first downbeats, the later one counted from `at`. */
export type MeterChange = { at: number; meters: [number, number]; firstPhase: number };

/** Lead of bars of four over bars of three at each beat. */
function leadsOfFour(features: BeatFeatures): number[] {
  const rows = meterRows(features);
  return rows.map((row, i) => (i < 4 ? 0 : similarityOf(row, rows[i - 4]!) - similarityOf(row, rows[i - 3]!)));
}

/** Features of beats [from, to). */
function sliceFeatures({ onsets, novelty, chroma }: BeatFeatures, from: number, to: number): BeatFeatures {
  const cut = <Value>(values: readonly Value[]): Value[] => values.slice(from, to);
  return {
    onsets: [cut(onsets[0]), cut(onsets[1]), cut(onsets[2])],
    novelty: cut(novelty),
    chroma: { treble: cut(chroma.treble), bass: cut(chroma.bass) },
  };
}

/** The beat that divides the leads best into two sides of opposite sign; null if they do not. */
function divide(leads: readonly number[]): { at: number; isFourFirst: boolean } | null {
  const sums = [0];
  for (const lead of leads) sums.push(sums.at(-1)! + lead);
  const total = sums.at(-1)!;
  let [at, largest] = [-1, 0];
  for (let beat = MIN_SIDE_BEATS; beat <= leads.length - MIN_SIDE_BEATS; beat++) {
    const difference = Math.abs(2 * sums[beat]! - total);
    if (difference > largest) [at, largest] = [beat, difference];
  }
  if (at < 0) return null;
  const [before, after] = [sums[at]! / at, (total - sums[at]!) / (leads.length - at)];
  const isChange = before * after < 0 && Math.min(Math.abs(before), Math.abs(after)) >= MIN_LEAD;
  return isChange ? { at, isFourFirst: before > 0 } : null;
}

/** Finds a change between bars of four and of three beats; null if there is none. The later bars start on a bar of the earlier ones if they can. */
export function findMeterChange(features: BeatFeatures): MeterChange | null {
  const found = divide(leadsOfFour(features));
  if (!found) return null;
  const count = features.novelty.length;
  const meters: [number, number] = found.isFourFirst ? [4, 3] : [3, 4];
  const firstPhase = findPhase(sliceFeatures(features, 0, found.at), meters[0]);
  const laterPhase = found.at + findPhase(sliceFeatures(features, found.at, count), meters[1]);
  const starts = Array.from({ length: 2 * REACH_BEATS + 1 }, (_, i) => found.at - REACH_BEATS + i)
    .filter((beat) => beat >= 0 && (beat - laterPhase) % meters[1] === 0)
    .sort((a, b) => Math.abs(a - found.at) - Math.abs(b - found.at));
  const at = starts.find((beat) => (beat - firstPhase) % meters[0] === 0) ?? starts[0]!;
  return { at, meters, firstPhase };
}
