/** A beat grid put on the strokes of the song's own drums: analyses differ by some milliseconds in where they hear a beat. */
import { EAR_HOP } from '../measure/onsets.ts';
import type { SongGrid } from './beat-grid.ts';

/** Furthest that a beat is moved. A stroke further away is another one. */
const REACH_SEC = 0.03;
/** Beats on each side that a beat's place is judged with. */
const NEIGHBOURS = 12;
/** The strokes at the best place must stand out this much from the mean of all places. */
const CLEAR = 1.6;

/**
 * Moves each beat by the offset at which the strokes around it and its neighbours are strongest; where drums are silent or
 * unclear, by that of the song as a whole, or not at all.
 * @param attack strokes of the drums, one value for each `EAR_HOP` samples
 */
export function settleGrid(grid: SongGrid, attack: Float32Array, sampleRate: number): SongGrid {
  const perSec = sampleRate / EAR_HOP;
  const reach = Math.round(REACH_SEC * perSec);
  const width = 2 * reach + 1;
  const rows = grid.beats.map((beat) => {
    const centre = Math.round(beat * perSec);
    return Float64Array.from({ length: width }, (_, k) => attack[centre + k - reach] ?? 0);
  });
  // Rounding a beat to a value of the envelope moves it: remembered, so that means over beats are free of it.
  const rounding = grid.beats.map((beat) => Math.round(beat * perSec) / perSec - beat);
  const offsetOf = (from: number, to: number): number | undefined => {
    const sum = new Float64Array(width);
    let rounded = 0;
    for (let i = from; i < to; i++) {
      rows[i]!.forEach((value, k) => (sum[k]! += value));
      rounded += rounding[i]!;
    }
    let best = 0;
    sum.forEach((value, k) => {
      if (value > sum[best]!) best = k;
    });
    const mean = sum.reduce((a, b) => a + b, 0) / width;
    if (mean <= 0 || sum[best]! < CLEAR * mean || best === 0 || best === width - 1) return undefined;
    const [left, top, right] = [sum[best - 1]!, sum[best]!, sum[best + 1]!];
    const fine = (0.5 * (left - right)) / (left - 2 * top + right || 1);
    return (best - reach + fine) / perSec + rounded / (to - from);
  };
  const overall = offsetOf(0, rows.length) ?? 0;
  const offsets = grid.beats.map(
    (_, i) => offsetOf(Math.max(0, i - NEIGHBOURS), Math.min(rows.length, i + NEIGHBOURS + 1)) ?? overall,
  );
  // The place jumps from one value to the next as beats come and go: a mean over neighbours is even.
  const smooth = offsets.map((_, i) => {
    const near = offsets.slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS + 1);
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
  return { ...grid, beats: grid.beats.map((beat, i) => beat + smooth[i]!) };
}
