/** Aligns a beat grid to the onsets of the song's own drums. Analyses differ by some milliseconds in where they place a beat. */
import { ENVELOPE_HOP } from '../measure/onsets.ts';
import type { BeatGrid } from './beat-grid.ts';

/** Largest distance that a beat is moved. An onset further away belongs to something else. */
const REACH_SEC = 0.03;
/** Beats on each side whose onsets are added to those of a beat. */
const NEIGHBOURS = 12;
/** The onsets at the best offset must be this many times as strong as the mean over all offsets. */
const CLEAR = 1.6;

/**
 * Moves each beat by the offset at which the onsets around it and its neighbours are strongest. Where the drums are silent or
 * unclear, the offset of the whole song is used, or none.
 * @param attack onsets of the drums, one value for each `ENVELOPE_HOP` samples
 */
export function alignGrid(grid: BeatGrid, attack: Float32Array, sampleRate: number): BeatGrid {
  const perSec = sampleRate / ENVELOPE_HOP;
  const reach = Math.round(REACH_SEC * perSec);
  const width = 2 * reach + 1;
  const rows = grid.beats.map((beat) => {
    const centre = Math.round(beat * perSec);
    return Float64Array.from({ length: width }, (_, k) => attack[centre + k - reach] ?? 0);
  });
  const heard = rows.map((row) => row.some((value) => value > 0));
  // Rounding a beat to a value of the envelope moves it. The error is added again below, so that the result is free of it.
  const rounding = grid.beats.map((beat) => Math.round(beat * perSec) / perSec - beat);
  const offsetOf = (from: number, to: number): number | undefined => {
    const sum = new Float64Array(width);
    let rounded = 0;
    let count = 0;
    for (let i = from; i < to; i++) {
      // Beats in silence, as between the pieces of a stem, say nothing.
      if (!heard[i]) continue;
      rows[i]!.forEach((value, k) => (sum[k]! += value));
      rounded += rounding[i]!;
      count++;
    }
    const offset = peakOffset(sum);
    return offset === undefined ? undefined : offset / perSec + rounded / count;
  };
  const overall = offsetOf(0, rows.length) ?? 0;
  const offsets = grid.beats.map(
    (_, i) => offsetOf(Math.max(0, i - NEIGHBOURS), Math.min(rows.length, i + NEIGHBOURS + 1)) ?? overall,
  );
  // The offset jumps as beats enter and leave the window. A mean over neighbours smooths it.
  const smooth = offsets.map((_, i) => {
    const first = Math.max(0, i - NEIGHBOURS);
    const around = offsets.slice(first, i + NEIGHBOURS + 1);
    const near = heard[i] ? around.filter((__, k) => heard[first + k]) : around;
    return near.reduce((sum, value) => sum + value, 0) / near.length;
  });
  return { ...grid, beats: grid.beats.map((beat, i) => beat + smooth[i]!) };
}

/** Distance of the largest value from the middle, refined by a parabola; undefined if it does not stand out or lies at an end. */
function peakOffset(values: Float64Array): number | undefined {
  let best = 0;
  values.forEach((value, k) => {
    if (value > values[best]!) best = k;
  });
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (mean <= 0 || values[best]! < CLEAR * mean || best === 0 || best === values.length - 1) return undefined;
  const [left, top, right] = [values[best - 1]!, values[best]!, values[best + 1]!];
  return best - (values.length >> 1) + (0.5 * (left - right)) / (left - 2 * top + right || 1);
}
