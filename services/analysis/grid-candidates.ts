/**
 * Choice of the beat among the metrical levels. Onsets are also periodic at half, double and off-beat positions of the beat. Therefore a
 * grid is fitted for each tempo hypothesis and scored by drums and harmony (`grid-score.ts`).
 */
import { fitGrid, trackBeats } from './beats.ts';
import type { FittedGrid } from './beats.ts';
import { midpoints, scoreGrid } from './grid-score.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmSignals } from './rhythm-signals.ts';
import { fitSteadyGrid } from './steady-grid.ts';
import { MAX_BPM, MIN_BPM } from './tempo.ts';
import type { TempoCandidate } from './tempo.ts';

/** Tempi with a smaller relative difference are the same hypothesis. */
export const SAME_TEMPO = 0.04;
/** Candidates whose half and double tempi are hypotheses as well. */
const FOLDED_CANDIDATES = 3;

/** A fitted grid, its tempo and its score. */
export type GridCandidate = { bpm: number; grid: FittedGrid; score: number };

/** The beats shifted by half a beat, with an additional one at the start if there is room. */
function shiftedByHalf(beats: readonly number[]): number[] {
  const halves = midpoints(beats);
  const first = beats[0]! - (halves[0]! - beats[0]!);
  return first >= 0 ? [first, ...halves] : halves;
}

/** The tempo candidates, and halves and doubles of the first ones. */
function tempoHypotheses(candidates: readonly TempoCandidate[]): TempoCandidate[] {
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
 * Fits and scores grids for all tempo hypotheses: tracked and steady ones, on the beat and off it. Returns them by score, best first;
 * empty if no beats can be tracked.
 */
export function rankGrids(
  candidates: readonly TempoCandidate[],
  { strength, beatStrength, drums, tone, durationSec }: RhythmSignals,
): GridCandidate[] {
  const strongest = Math.max(1e-9, ...candidates.map(({ confidence }) => confidence));
  const ranked = tempoHypotheses(candidates).flatMap(({ bpm, confidence }): GridCandidate[] => {
    const tracked = trackBeats(beatStrength, (60 * RHYTHM_RATE) / bpm);
    if (tracked.length < 4) return [];
    const grids = [fitSteadyGrid(beatStrength, strength, bpm, durationSec), fitGrid(tracked, strength, durationSec)];
    return grids
      .filter(({ times }) => times.length >= 4)
      .flatMap((grid) => [grid, { ...grid, times: shiftedByHalf(grid.times) }])
      .map((grid) => ({
        bpm: grid.bpm,
        grid,
        score: scoreGrid(grid, confidence / strongest, { beatStrength, drums, tone }),
      }));
  });
  return ranked.sort((a, b) => b.score - a.score);
}
