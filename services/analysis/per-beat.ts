/** Features by beat, from features by frame. */

/**
 * Frames [from, to) of each beat, for a feature with `rate` frames per second. The last beat is as long as the previous one.
 * @param beats beat times, seconds
 * @param frames number of frames of the feature
 */
export function beatSpans(beats: readonly number[], rate: number, frames: number): { from: number; to: number }[] {
  return beats.map((start, i) => {
    const end = beats[i + 1] ?? start + (start - (beats[i - 1] ?? start - 0.5));
    const from = Math.min(frames - 1, Math.max(0, Math.round(start * rate)));
    return { from, to: Math.max(from + 1, Math.min(frames, Math.round(end * rate))) };
  });
}

/** Mean of a feature over each beat. `beats` in seconds, `rate` in frames per second. */
export function meanByBeat(values: Float32Array, beats: readonly number[], rate: number): number[] {
  return beatSpans(beats, rate, values.length).map(({ from, to }) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i]!;
    return sum / (to - from);
  });
}

/** Largest value of a feature within `reachSec` of each time (seconds). */
export function peakAt(values: Float32Array, times: readonly number[], rate: number, reachSec: number): number[] {
  return times.map((time) => {
    let peak = 0;
    const to = Math.min(values.length - 1, Math.round((time + reachSec) * rate));
    for (let i = Math.max(0, Math.round((time - reachSec) * rate)); i <= to; i++) peak = Math.max(peak, values[i]!);
    return peak;
  });
}

/** Cosine similarity of two vectors; 0 if one of them is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
