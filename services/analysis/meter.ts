/**
 * Meter and downbeats. The meter is the lag in beats at which onsets and harmony repeat. Downbeats are the beats with harmonic changes
 * and kicks.
 */
import type { BeatChroma } from './chroma.ts';
import { cosine } from './per-beat.ts';
import { mean } from './statistics.ts';

/** Candidate meters, beats per bar. */
const METERS = [4, 3] as const;
/**
 * Weight of kicks relative to harmonic novelty in the choice of the downbeat, fitted like the weights of `grid-score.ts`. Snares,
 * basses and the difference of consecutive beats gave no improvement in addition to these two.
 */
const KICK_WEIGHT = 0.36;

/** An estimated meter. */
export type MeterEstimate = {
  /** Beats per bar. */
  meter: number;
  /** Index of the first downbeat, below `meter`. */
  phase: number;
  /** 0..1 */
  confidence: number;
};

/** Features of each beat. */
export type BeatFeatures = {
  chroma: BeatChroma;
  /** Drum onsets at the beat, 0..1: kick, snare, hats. */
  onsets: [number[], number[], number[]];
  /** Harmonic novelty at the beat, measured over a beat and a half on each side. */
  novelty: number[];
};

/** Scales to mean 0 and standard deviation 1. */
function standardize(values: readonly number[]): number[] {
  const centre = mean(values);
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, values.length),
  );
  return values.map((value) => (deviation > 1e-9 ? (value - centre) / deviation : 0));
}

/** Difference of the chroma of each beat from that of the previous beat. */
function harmonicChange(chroma: BeatChroma): number[] {
  return chroma.treble.map((row, i) => {
    if (i === 0) return 0;
    const bass = 1 - cosine(chroma.bass[i]!, chroma.bass[i - 1]!);
    return 1 - cosine(row, chroma.treble[i - 1]!) + bass;
  });
}

/** Mean product of the features of beats that are `lag` beats apart. */
function similarityAt(lag: number, rows: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let i = lag; i < rows.length; i++)
    for (let k = 0; k < rows[i]!.length; k++) sum += rows[i]![k]! * rows[i - lag]![k]!;
  return sum / Math.max(1, (rows.length - lag) * (rows[0]?.length ?? 1));
}

/** Mean of `values` at phase, phase + meter, …, minus the mean of the other values. */
function phaseContrast(values: readonly number[], meter: number, phase: number): number {
  let [on, ons, off, offs] = [0, 0, 0, 0];
  values.forEach((value, i) => {
    if (i % meter === phase) [on, ons] = [on + value, ons + 1];
    else [off, offs] = [off + value, offs + 1];
  });
  return on / Math.max(1, ons) - off / Math.max(1, offs);
}

/** Estimates the meter and the first downbeat of a song from the features of its beats. */
export function estimateMeter({ chroma, onsets, novelty }: BeatFeatures): MeterEstimate {
  const [low, mid, high] = onsets.map(standardize) as [number[], number[], number[]];
  const change = standardize(harmonicChange(chroma));
  const standardNovelty = standardize(novelty);
  const rows = low.map((value, i) => [value, mid[i]!, high[i]!, change[i]!]);
  const similarity = METERS.map(
    (meter) => similarityAt(meter, rows) + similarityAt(2 * meter, rows) - similarityAt(meter + 1, rows) * 0.25,
  );
  const best = METERS.map((meter, m) => {
    const phases = Array.from({ length: meter }, (_, phase) => ({
      phase,
      score: phaseContrast(standardNovelty, meter, phase) + KICK_WEIGHT * phaseContrast(low, meter, phase),
    })).sort((a, b) => b.score - a.score);
    return { meter, phase: phases[0]!.phase, lead: phases[0]!.score - phases[1]!.score, similarity: similarity[m]! };
  });
  // Songs in three are rare: a meter of three needs a clear lead.
  const [four, three] = [best[0]!, best[1]!];
  const chosen = three.similarity > four.similarity + 0.1 ? three : four;
  return { meter: chosen.meter, phase: chosen.phase, confidence: Math.max(0, Math.min(1, chosen.lead)) };
}
