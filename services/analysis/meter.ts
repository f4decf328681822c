/**
 * Meter and downbeats. The meter is the lag in beats at which onsets and harmony repeat. Downbeats are the beats with harmonic changes
 * and kicks.
 */
import type { BeatChroma } from './chroma.ts';
import { cosine } from './per-beat.ts';
import { mean } from './statistics.ts';

/**
 * Candidate meters, beats per bar, and the lead in similarity over bars of four that each needs: other meters are rare. Songs in four have a
 * similarity of at most 0.1 at five and seven beats, songs in five and seven more than 0.9.
 */
const METERS = [
  { meter: 4, lead: 0 },
  { meter: 3, lead: 0.1 },
  { meter: 5, lead: 0.5 },
  { meter: 7, lead: 0.5 },
] as const;
/** Bars of so many beats have no name here: if one leads by `UNKNOWN_LEAD` over the best meter, the meter is unknown. */
const UNKNOWN_METERS = [11, 13];
const UNKNOWN_LEAD = 0.8;
/** Beats of the songs that may be loops of whole bars, and the advantage of a meter that divides them. */
const MAX_LOOP_BEATS = 33;
const LOOP_ADVANTAGE = 0.5;
/** Largest deviation of a loop from a whole number of beats. */
const LOOP_TOLERANCE_BEATS = 0.1;
/**
 * Weight of kicks relative to harmonic novelty in the choice of the downbeat, fitted like the weights of `grid-score.ts`. Snares,
 * basses and the difference of consecutive beats gave no improvement in addition to these two.
 */
const KICK_WEIGHT = 0.36;

/** An estimated meter. */
export type MeterEstimate = {
  /** Beats per bar. An assumption of four if the meter is not known. */
  meter: number;
  known: boolean;
  /** Index of the first downbeat, below `meter`. */
  phase: number;
  /** Similarity of beats a bar apart, -2 to 2. */
  similarity: number;
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

/** Standardised onsets and harmonic change of each beat, which are compared at the lags of bars. */
export function meterRows({ chroma, onsets }: BeatFeatures): number[][] {
  const [low, mid, high] = onsets.map(standardize) as [number[], number[], number[]];
  const change = standardize(harmonicChange(chroma));
  return low.map((value, i) => [value, mid[i]!, high[i]!, change[i]!]);
}

/** Mean product of the features of two beats. */
export function similarityOf(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, k) => sum + value * b[k]!, 0) / a.length;
}

/** Mean similarity of beats that are `lag` beats apart; 0 if there are none. */
function similarityAt(lag: number, rows: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let i = lag; i < rows.length; i++) sum += similarityOf(rows[i]!, rows[i - lag]!);
  return sum / Math.max(1, rows.length - lag);
}

/** Similarity of beats one and two bars apart, in excess of that of other beats. Two bars count if enough beats are that far apart. */
function barSimilarity(meter: number, rows: readonly (readonly number[])[]): number {
  const once = similarityAt(meter, rows);
  const twice = rows.length >= 3 * meter ? similarityAt(2 * meter, rows) : once;
  return once + twice - similarityAt(meter + 1, rows) * 0.25;
}

/** What a lag of `meter` beats may reach by chance in a short song, beyond the lead that a meter needs in any case. */
const chanceLead = (meter: number, beats: number): number =>
  Math.max(0, 1 / Math.sqrt(Math.max(1, beats - meter)) - 0.15);

/** The beats of a short song that is a loop of whole beats; 0 for other songs. */
function loopBeats(beats: number): number {
  const whole = Math.round(beats);
  return whole <= MAX_LOOP_BEATS && Math.abs(beats - whole) <= LOOP_TOLERANCE_BEATS ? whole : 0;
}

/**
 * The candidate with the largest lead over bars of four, after what it needs.
 * @param songBeats length of the song in beats
 */
function chooseMeter(rows: readonly (readonly number[])[], songBeats: number): { meter: number; similarity: number } {
  const loop = loopBeats(songBeats);
  const rated = METERS.map(({ meter, lead }) => {
    const similarity = barSimilarity(meter, rows);
    const needed = meter === 4 ? 0 : lead + chanceLead(meter, rows.length);
    return { meter, similarity, rating: similarity - needed + (loop > 0 && loop % meter === 0 ? LOOP_ADVANTAGE : 0) };
  });
  return rated.reduce((best, each) => (each.rating > best.rating ? each : best));
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

/** The most probable first downbeat for a meter. */
export function findPhase({ onsets, novelty }: Pick<BeatFeatures, 'onsets' | 'novelty'>, meter: number): number {
  const [low, changes] = [standardize(onsets[0]), standardize(novelty)];
  const scores = Array.from(
    { length: meter },
    (_, phase) => phaseContrast(changes, meter, phase) + KICK_WEIGHT * phaseContrast(low, meter, phase),
  );
  return scores.indexOf(Math.max(...scores));
}

/**
 * Estimates the meter and the first downbeat of a song from the features of its beats.
 * @param songBeats length of the song in beats: a short one may be a loop of whole bars
 */
export function estimateMeter(features: BeatFeatures, songBeats = Number.POSITIVE_INFINITY): MeterEstimate {
  const rows = meterRows(features);
  const { meter, similarity } = chooseMeter(rows, songBeats);
  const other = Math.max(...UNKNOWN_METERS.map((beats) => (rows.length > 6 * beats ? barSimilarity(beats, rows) : -2)));
  const known = other < similarity + UNKNOWN_LEAD;
  const assumed = known ? meter : METERS[0].meter;
  return { meter: assumed, known, phase: findPhase(features, assumed), similarity };
}
