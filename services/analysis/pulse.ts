/**
 * Which pulse is the beat. Onsets alone return at halves, doubles and off-beats of it as well, so that each reading is laid over the
 * song as a grid and judged by what drums do on it.
 */
import { fitGrid, trackBeats } from './beats.ts';
import type { BeatGrid } from './beats.ts';
import { peakAt } from './per-beat.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import { steadyGrid } from './steady.ts';
import type { Strokes } from './strokes.ts';
import { MAX_BPM, MIN_BPM, preference } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';

/** An onset belongs to a beat within this distance. */
export const ONSET_REACH_SEC = 0.03;
/** Weights of what speaks for a reading; see `judge`. */
const WEIGHTS = { regular: 1, preferred: 1.2, onBeat: 1, backbeat: 1.2, filled: 0.8, support: 0.5, steady: 0.1 };
/** Onset strength at the beats (as tracked) of a song whose every beat is struck. */
const FULL_SUPPORT = 4;
/** More of `onBeat` says no more: the beats of a grid twice too fast have nothing between them. */
const ENOUGH_ON_BEAT = 0.4;
/** Kick and snare fall together in some music as well (one-drop): what speaks against a grid for it. */
const LEAST_BACKBEAT = -0.1;
/** Strokes this weak on average (0..1) say little about the beat. */
const FAINT_STROKES = 0.15;
/** Readings closer than this are the same one. */
const SAME_TEMPO = 0.04;
/** Candidates whose halves and doubles are read as well. */
const FOLDED_CANDIDATES = 3;
/** What strokes count beside onsets of all kinds when beats are tracked. */
const STROKE_STRENGTH = 1.5;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** A tempo at which beats were tracked, with its grid and how well it explains the song. */
export type Pulse = { bpm: number; grid: BeatGrid; score: number };

/** Times halfway between beats. */
function halfway(beats: readonly number[]): number[] {
  return beats.slice(1).map((time, i) => 0.5 * (time + beats[i]!));
}

/** Beats half a beat later (and one more before, where there is room). */
function shiftedByHalf(beats: readonly number[]): number[] {
  const halves = halfway(beats);
  const first = beats[0]! - (halves[0]! - beats[0]!);
  return first >= 0 ? [first, ...halves] : halves;
}

/** Contrast of values at even and odd places, -1..1: positive where the even ones are larger. */
function alternation(values: readonly number[]): number {
  const even = mean(values.filter((_, i) => i % 2 === 0));
  const odd = mean(values.filter((_, i) => i % 2 === 1));
  return (even - odd) / (even + odd + FAINT_STROKES);
}

/**
 * What drums say of a grid. `onBeat`: strokes fall on beats rather than between them. `backbeat`: snares fall on every other beat, and
 * kicks not on the same ones; where both do, the grid is twice too fast. `filled`: most beats have one of the two.
 */
function drumsOn(beats: readonly number[], strokes: Strokes): { onBeat: number; backbeat: number; filled: number } {
  const at = (level: Float32Array, times: readonly number[]): number[] =>
    peakAt(level, times, RHYTHM_RATE, ONSET_REACH_SEC);
  const [kicks, snares] = [at(strokes.kick, beats), at(strokes.snare, beats)];
  const halves = halfway(beats);
  const on = mean(kicks) + mean(snares);
  const off = mean(at(strokes.kick, halves)) + mean(at(strokes.snare, halves));
  const snare = alternation(snares);
  const apart = -Math.sign(snare) * alternation(kicks);
  return {
    onBeat: (on - off) / (on + off + FAINT_STROKES),
    backbeat: Math.abs(snare) * Math.min(1, 1 + 2 * apart),
    filled: mean(kicks.map((kick, i) => Math.max(kick, snares[i]!))),
  };
}

function readings(candidates: readonly TempoCandidate[]): TempoCandidate[] {
  const all = [...candidates];
  for (const { bpm, confidence } of candidates.slice(0, FOLDED_CANDIDATES)) {
    for (const factor of [2, 0.5]) {
      const folded = bpm * factor;
      const known = all.some((other) => Math.abs(other.bpm / folded - 1) < SAME_TEMPO);
      if (!known && folded >= MIN_BPM && folded <= MAX_BPM) all.push({ bpm: folded, confidence: confidence / 2 });
    }
  }
  return all;
}

/**
 * Lays a grid over the song for each tempo and returns them, the best first; empty where nothing can be tracked.
 * @param strength onset strength of all bands at RHYTHM_RATE
 */
export function findPulses(
  candidates: readonly TempoCandidate[],
  strength: Float32Array,
  strokes: Strokes,
  durationSec: number,
): Pulse[] {
  const strongest = Math.max(1e-9, ...candidates.map(({ confidence }) => confidence));
  const driving = strength.map((value, i) => value + STROKE_STRENGTH * (strokes.kick[i]! + strokes.snare[i]!));
  const judge = (grid: BeatGrid, confidence: number): Pulse => {
    const { onBeat, backbeat, filled } = drumsOn(grid.times, strokes);
    const support = mean(peakAt(driving, grid.times, RHYTHM_RATE, ONSET_REACH_SEC));
    const score =
      (WEIGHTS.regular * confidence) / strongest +
      WEIGHTS.preferred * preference(grid.bpm) +
      WEIGHTS.onBeat * Math.min(ENOUGH_ON_BEAT, onBeat) +
      WEIGHTS.backbeat * Math.max(LEAST_BACKBEAT, backbeat) +
      WEIGHTS.filled * filled +
      WEIGHTS.support * Math.min(1, support / FULL_SUPPORT) +
      (grid.steady ? WEIGHTS.steady : 0);
    return { bpm: grid.bpm, grid, score };
  };
  const pulses = readings(candidates).flatMap(({ bpm, confidence }): Pulse[] => {
    const tracked = trackBeats(driving, (60 * RHYTHM_RATE) / bpm);
    if (tracked.length < 4) return [];
    const grids = [steadyGrid(driving, strength, bpm, durationSec), fitGrid(tracked, strength, durationSec)];
    return grids
      .filter(({ times }) => times.length >= 4)
      .flatMap((grid) => [grid, { ...grid, times: shiftedByHalf(grid.times) }])
      .map((grid) => judge(grid, confidence));
  });
  return pulses.sort((a, b) => b.score - a.score);
}
