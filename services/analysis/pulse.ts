/**
 * Which pulse is the beat. Onsets alone return at halves, doubles and off-beats of it as well, so that each reading is laid over the
 * song as a grid and judged by what drums and harmony do on it (`evidence.ts`).
 */
import { fitGrid, trackBeats } from './beats.ts';
import type { BeatGrid } from './beats.ts';
import { halfway, weigh } from './evidence.ts';
import type { PulseSounds } from './evidence.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import { steadyGrid } from './steady.ts';
import { MAX_BPM, MIN_BPM } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';

/** Readings closer than this are the same one. */
export const SAME_TEMPO = 0.04;
/** Candidates whose halves and doubles are read as well. */
const FOLDED_CANDIDATES = 3;
/** What strokes count beside onsets of all kinds when beats are tracked. */
const STROKE_STRENGTH = 1.5;

/** A tempo at which beats were tracked, with its grid and how well it explains the song. */
export type Pulse = { bpm: number; grid: BeatGrid; score: number };

/** Beats half a beat later (and one more before, where there is room). */
function shiftedByHalf(beats: readonly number[]): number[] {
  const halves = halfway(beats);
  const first = beats[0]! - (halves[0]! - beats[0]!);
  return first >= 0 ? [first, ...halves] : halves;
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
 * Lays grids over the song for each tempo and returns them, the best first; empty where nothing can be tracked.
 * @param strength onset strength of all bands at RHYTHM_RATE
 */
export function findPulses(
  candidates: readonly TempoCandidate[],
  strength: Float32Array,
  { strokes, tone }: Pick<PulseSounds, 'strokes' | 'tone'>,
  durationSec: number,
): Pulse[] {
  const strongest = Math.max(1e-9, ...candidates.map(({ confidence }) => confidence));
  const driving = strength.map((value, i) => value + STROKE_STRENGTH * (strokes.kick[i]! + strokes.snare[i]!));
  const pulses = readings(candidates).flatMap(({ bpm, confidence }): Pulse[] => {
    const tracked = trackBeats(driving, (60 * RHYTHM_RATE) / bpm);
    if (tracked.length < 4) return [];
    const grids = [steadyGrid(driving, strength, bpm, durationSec), fitGrid(tracked, strength, durationSec)];
    return grids
      .filter(({ times }) => times.length >= 4)
      .flatMap((grid) => [grid, { ...grid, times: shiftedByHalf(grid.times) }])
      .map((grid) => ({ bpm: grid.bpm, grid, score: weigh(grid, confidence / strongest, { driving, strokes, tone }) }));
  });
  return pulses.sort((a, b) => b.score - a.score);
}
