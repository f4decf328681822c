/** Pauses: moments after which the same tempo goes on out of phase, for example after a fermata or a silence. */
import { fitRobustly, refinePeak, trackBeats } from './beats.ts';
import type { FittedGrid } from './beats.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmSignals } from './rhythm-signals.ts';
import { median } from './statistics.ts';
import type { TempoChange } from './tempo-changes.ts';

/** Beats on each side whose line is compared, at most and at least, and beats next to the pause that are left out. */
const MAX_SIDE_BEATS = 32;
const MIN_SIDE_BEATS = 16;
const EXCLUDED_BEATS = 5;
/** Smallest shift of the beat. Smaller ones are the timing of players. */
const MIN_SHIFT_BEATS = 0.2;
/** Largest difference of the two tempi, and largest median distance of beats from their line: with more, the tempo drifts. */
const SAME_TEMPO = 0.01;
const STEADY_RESIDUAL_SEC = 0.012;

/** RMS distance of tracked beats from a grid that follows a drifting tempo, at most: beats around a pause are farther. */
const MAX_DRIFT_RESIDUAL_SEC = 0.014;

type Line = { slope: number; offset: number; residual: number };

/** The line through tracked beats [from, to), and their median distance from it. */
function lineThrough(times: readonly number[], weights: readonly number[], from: number, to: number): Line {
  const indices = Array.from({ length: to - from }, (_, i) => from + i);
  const line = fitRobustly(indices, times.slice(from, to), weights.slice(from, to), 0.01);
  const residual = median(indices.map((i) => Math.abs(times[i]! - line.offset - line.slope * i)));
  return { ...line, residual };
}

/**
 * Finds the largest shift of the beat between two stretches with the same constant tempo. Empty if there is none.
 * @param grid the best grid of the song without pauses
 */
export function findPauses(
  { beatStrength, strength }: RhythmSignals,
  { bpm, steady, residual }: FittedGrid,
): TempoChange[] {
  if (!steady && residual < MAX_DRIFT_RESIDUAL_SEC) return [];
  const tracked = trackBeats(beatStrength, (60 * RHYTHM_RATE) / bpm);
  const times = tracked.map((frame) => refinePeak(strength, frame) / RHYTHM_RATE);
  const weights = tracked.map((frame) => 0.05 + strength[frame]!);
  let [largest, atSec] = [MIN_SHIFT_BEATS, -1];
  const margin = MIN_SIDE_BEATS + EXCLUDED_BEATS;
  for (let at = margin; at <= times.length - margin; at++) {
    const end = at - EXCLUDED_BEATS;
    const before = lineThrough(times, weights, Math.max(0, end - MAX_SIDE_BEATS), end);
    if (before.residual > STEADY_RESIDUAL_SEC) continue;
    const start = at + EXCLUDED_BEATS;
    const after = lineThrough(times, weights, start, Math.min(times.length, start + MAX_SIDE_BEATS));
    if (after.residual > STEADY_RESIDUAL_SEC || Math.abs(after.slope / before.slope - 1) > SAME_TEMPO) continue;
    const beats = (after.offset + after.slope * at - before.offset) / before.slope - at;
    const shift = Math.abs(beats - Math.round(beats));
    if (shift > largest) [largest, atSec] = [shift, times[at]!];
  }
  return atSec < 0 ? [] : [{ atSec, ratio: 1 }];
}
