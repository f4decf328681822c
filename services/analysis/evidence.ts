/** What speaks for a grid of beats: how people tap, what drums do on it, and where harmony turns. */
import type { BeatGrid } from './beats.ts';
import { harmonicNovelty } from './novelty.ts';
import { peakAt } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { Strokes } from './onsets.ts';
import type { ToneFeatures } from './tone-features.ts';

/** An onset belongs to a beat within this distance. */
export const ONSET_REACH_SEC = 0.03;
/**
 * Weights of a conditional logit over the grids of a song: the weighted sum is the logarithm of how much likelier one grid is than
 * another. Fitted with a penalty on their squares (docs/audio-analysis.md), where songs without their harmony, without their drums and
 * bare loops of drums count as well, so that either speaks for itself where the other says nothing.
 */
const WEIGHTS = {
  regular: 4.27,
  tempo: -2.04,
  turnsOnBeat: 4.93,
  turnsOnBar: 4.51,
  barStandsOut: 6.54,
  support: 2.99,
  backbeat: 1.9,
  filled: 4.52,
  crowded: -2.94,
};
/**
 * The tempo that speaks for itself most where all else is equal: grids that are too slow fit the rest too well. The fit gives 151 and
 * does not change between 135 and there; real songs are read at double less often with this.
 */
const LIKELIEST_BPM = 135;
/** Onset strength at the beats (as tracked) of a song whose every beat is struck. */
const FULL_SUPPORT = 4;
/** Kick and snare fall together in some music as well (one-drop): what speaks against a grid for it. */
const LEAST_BACKBEAT = -0.1;
/** Strokes this weak on average (0..1) say little about the beat. */
const FAINT_STROKES = 0.15;
/** Harmonic change this small says little: on and off the beat, and on one beat of a bar against the others. */
const FAINT_TURNS = 0.05;
const FAINT_BARS = 0.5;
/** Harmony is compared over half a beat, but over no more than this. */
const LONGEST_REACH_SEC = 0.5;
const METERS = [3, 4];

type Evidence = Record<keyof typeof WEIGHTS, number>;

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Times halfway between beats. */
export function halfway(beats: readonly number[]): number[] {
  return beats.slice(1).map((time, i) => 0.5 * (time + beats[i]!));
}

/** How far `a` is above `b`, -1..1; `faint` is what both have to rise above. */
const contrast = (a: number, b: number, faint: number): number => (a - b) / (a + b + faint);

/** Contrast of values at even and odd places, -1..1: positive where the even ones are larger. */
function alternation(values: readonly number[]): number {
  const at = (parity: number): number => mean(values.filter((_, i) => i % 2 === parity));
  return contrast(at(0), at(1), FAINT_STROKES);
}

/**
 * What drums say of a grid. `backbeat`: snares fall on every other beat, and kicks not on the same ones; where both do, the grid is
 * twice too fast. `filled`: most beats have one of the two. `crowded`: hats play at a quarter and three quarters of a beat, as they
 * do more often where beats are counted too slowly.
 */
function drumsOn(
  beats: readonly number[],
  halves: readonly number[],
  strokes: Strokes,
): Pick<Evidence, 'backbeat' | 'filled' | 'crowded'> {
  const at = (level: Float32Array, times: readonly number[]): number[] =>
    peakAt(level, times, RHYTHM_RATE, ONSET_REACH_SEC);
  const [kicks, snares] = [at(strokes.kick, beats), at(strokes.snare, beats)];
  const snare = alternation(snares);
  const apart = -Math.sign(snare) * alternation(kicks);
  const quarters = halfway(beats.flatMap((time, i) => (i < halves.length ? [time, halves[i]!] : [time])));
  return {
    backbeat: Math.max(LEAST_BACKBEAT, Math.abs(snare) * Math.min(1, 1 + 2 * apart)),
    filled: mean(kicks.map((kick, i) => Math.max(kick, snares[i]!))),
    crowded: mean(at(strokes.hat, quarters)),
  };
}

/**
 * What harmony says of a grid. `turnsOnBeat`: chords and basses change on beats rather than between them, so that a grid half a beat
 * late is told from the right one where drums play on both. `turnsOnBar`: how much changes on the beat of a bar (of three or four) on
 * which most changes. `barStandsOut`: how far that is above the others; at half and double the tempo bars do not meet the changes.
 */
function harmonyOn(
  beats: readonly number[],
  halves: readonly number[],
  bpm: number,
  tone: ToneFeatures,
): Pick<Evidence, 'turnsOnBeat' | 'turnsOnBar' | 'barStandsOut'> {
  const reachSec = Math.min(LONGEST_REACH_SEC, 30 / bpm);
  const turns = harmonicNovelty(tone, beats, reachSec);
  const between = harmonicNovelty(tone, halves, reachSec);
  const bars = METERS.flatMap((meter) =>
    Array.from({ length: meter }, (_, phase) => {
      const on = mean(turns.filter((_, i) => i % meter === phase));
      const off = mean(turns.filter((_, i) => i % meter !== phase));
      return { on, apart: contrast(on, off, FAINT_BARS) };
    }),
  );
  return {
    turnsOnBeat: contrast(mean(turns), mean(between), FAINT_TURNS),
    turnsOnBar: Math.max(...bars.map(({ on }) => on)),
    barStandsOut: Math.max(...bars.map(({ apart }) => apart)),
  };
}

/** What grids are laid over. */
export type PulseSounds = {
  /** What beats are tracked by, at RHYTHM_RATE: onsets of all kinds and strokes of drums. */
  driving: Float32Array;
  strokes: Strokes;
  tone: ToneFeatures;
};

/**
 * How well a grid explains a song; differences are logarithms of odds.
 * @param regular how strongly onsets return at its tempo, as a part of how strongly they do at the tempo of most
 */
export function weigh({ times, bpm }: BeatGrid, regular: number, { driving, strokes, tone }: PulseSounds): number {
  const halves = halfway(times);
  const evidence: Evidence = {
    regular,
    tempo: Math.log2(bpm / LIKELIEST_BPM) ** 2,
    support: Math.min(1, mean(peakAt(driving, times, RHYTHM_RATE, ONSET_REACH_SEC)) / FULL_SUPPORT),
    ...drumsOn(times, halves, strokes),
    ...harmonyOn(times, halves, bpm, tone),
  };
  return (Object.keys(WEIGHTS) as (keyof Evidence)[]).reduce((sum, key) => sum + WEIGHTS[key] * evidence[key], 0);
}
