/** Scores a beat grid: how well a tempo prior, drums and harmonic changes agree with it. */
import type { FittedGrid } from './beats.ts';
import { harmonicNovelty } from './harmonic-novelty.ts';
import type { DrumOnsetStrength } from './drum-onset-strength.ts';
import { peakAt } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import { mean } from './statistics.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Largest distance of an onset from its beat. */
export const ONSET_REACH_SEC = 0.03;
/**
 * Weights of a conditional logit over the grids of a song: differences of the weighted sum are log odds of one grid against another.
 * Fitted with a penalty on their squares (docs/explanation/audio-analysis.md). The training data includes songs without their harmony, songs
 * without their drums and drum loops, so that drums and harmony are usable without each other.
 */
const WEIGHTS = {
  periodicity: 4.27,
  tempoPrior: -2.04,
  noveltyOnBeats: 4.93,
  noveltyOnBars: 4.51,
  barContrast: 6.54,
  onsetSupport: 2.99,
  backbeat: 1.9,
  drumCoverage: 4.52,
  quarterHats: -2.94,
};
/**
 * Centre of the tempo prior. It is high because too slow grids score well on the other features. The fit gives 151 and is flat
 * between 135 and 151; with 135, fewer real songs are estimated at double their tempo.
 */
const PRIOR_BPM = 135;
/** Mean onset strength at the beats of a song with an onset on every beat. */
const FULL_SUPPORT = 4;
/** Lower bound of the backbeat score: in some styles (one-drop) kick and snare coincide. */
const MIN_BACKBEAT = -0.1;
/** Regularisation of the contrast of drum onsets: mean onset strengths (0..1) below it have little effect. */
const FAINT_ONSETS = 0.15;
/** The same for harmonic novelty: on and between beats, and on one beat of the bar against the others. */
const FAINT_NOVELTY = 0.05;
const FAINT_BAR_NOVELTY = 0.5;
/** Upper bound of the half beat over which harmonic novelty is measured. */
const MAX_REACH_SEC = 0.5;
const METERS = [3, 4];

/** Features of a grid, one for each weight. */
type GridFeatures = Record<keyof typeof WEIGHTS, number>;

/** Midpoints between consecutive beats. */
export function midpoints(beats: readonly number[]): number[] {
  return beats.slice(1).map((time, i) => 0.5 * (time + beats[i]!));
}

/** Normalised difference of `a` and `b`, -1..1. `faint` reduces it for small values. */
const contrast = (a: number, b: number, faint: number): number => (a - b) / (a + b + faint);

/** Contrast of values at even and odd indices, -1..1: positive if the even ones are larger. */
function alternation(values: readonly number[]): number {
  const at = (parity: number): number => mean(values.filter((_, i) => i % 2 === parity));
  return contrast(at(0), at(1), FAINT_ONSETS);
}

/**
 * Drum features of a grid.
 * - `backbeat`: snares are on every other beat, and kicks are not on the same ones. If they are, the grid is twice too fast.
 * - `drumCoverage`: share of beats with a kick or a snare.
 * - `quarterHats`: hats at a quarter and three quarters of a beat, which are frequent if the grid is too slow.
 */
function drumFeatures(
  beats: readonly number[],
  halves: readonly number[],
  drums: DrumOnsetStrength,
): Pick<GridFeatures, 'backbeat' | 'drumCoverage' | 'quarterHats'> {
  const at = (level: Float32Array, times: readonly number[]): number[] =>
    peakAt(level, times, RHYTHM_RATE, ONSET_REACH_SEC);
  const [kicks, snares] = [at(drums.kick, beats), at(drums.snare, beats)];
  const snare = alternation(snares);
  const contrasted = -Math.sign(snare) * alternation(kicks);
  const quarters = midpoints(beats.flatMap((time, i) => (i < halves.length ? [time, halves[i]!] : [time])));
  return {
    backbeat: Math.max(MIN_BACKBEAT, Math.abs(snare) * Math.min(1, 1 + 2 * contrasted)),
    drumCoverage: mean(kicks.map((kick, i) => Math.max(kick, snares[i]!))),
    quarterHats: mean(at(drums.hat, quarters)),
  };
}

/**
 * Harmonic features of a grid.
 * - `noveltyOnBeats`: chords and basses change on beats and not between them. Detects a grid that is half a beat late where drums play
 *   on both.
 * - `noveltyOnBars`: novelty on the beat of the bar (of three or four) with the most changes.
 * - `barContrast`: contrast of that beat with the others. It is low at half and double the tempo, where bars do not match the changes.
 */
function harmonicFeatures(
  beats: readonly number[],
  halves: readonly number[],
  bpm: number,
  tone: ToneFeatures,
): Pick<GridFeatures, 'noveltyOnBeats' | 'noveltyOnBars' | 'barContrast'> {
  const reachSec = Math.min(MAX_REACH_SEC, 30 / bpm);
  const onBeats = harmonicNovelty(tone, beats, reachSec);
  const between = harmonicNovelty(tone, halves, reachSec);
  const bars = METERS.flatMap((meter) =>
    Array.from({ length: meter }, (_, phase) => {
      const on = mean(onBeats.filter((_, i) => i % meter === phase));
      const off = mean(onBeats.filter((_, i) => i % meter !== phase));
      return { on, contrasted: contrast(on, off, FAINT_BAR_NOVELTY) };
    }),
  );
  return {
    noveltyOnBeats: contrast(mean(onBeats), mean(between), FAINT_NOVELTY),
    noveltyOnBars: Math.max(...bars.map(({ on }) => on)),
    barContrast: Math.max(...bars.map(({ contrasted }) => contrasted)),
  };
}

/** Features of a song that grids are scored with. */
export type GridScoreInput = {
  /** Strength for beat tracking at RHYTHM_RATE: onset strength plus kicks and snares. */
  beatStrength: Float32Array;
  drums: DrumOnsetStrength;
  tone: ToneFeatures;
};

/**
 * Scores a grid. Differences of scores are log odds.
 * @param periodicity confidence of the grid's tempo relative to the strongest tempo candidate, 0..1
 */
export function scoreGrid(
  { times, bpm }: FittedGrid,
  periodicity: number,
  { beatStrength, drums, tone }: GridScoreInput,
): number {
  const halves = midpoints(times);
  const features: GridFeatures = {
    periodicity,
    tempoPrior: Math.log2(bpm / PRIOR_BPM) ** 2,
    onsetSupport: Math.min(1, mean(peakAt(beatStrength, times, RHYTHM_RATE, ONSET_REACH_SEC)) / FULL_SUPPORT),
    ...drumFeatures(times, halves, drums),
    ...harmonicFeatures(times, halves, bpm, tone),
  };
  return (Object.keys(WEIGHTS) as (keyof GridFeatures)[]).reduce((sum, key) => sum + WEIGHTS[key] * features[key], 0);
}
