/** Beat tracking by dynamic programming over onset strength (Ellis 2007), and a beat grid fitted to the tracked beats. */
import { RHYTHM_RATE } from './rhythm-features.ts';
import { median } from './statistics.ts';

/** Weight of the penalty for steps that differ from the period. */
const TIGHTNESS = 300;
/** Beats on each side of a beat that its time is smoothed over. */
const SMOOTHING_BEATS = 8;
/** The tempo is constant if the median distance of the beats from one straight line is below this, seconds. */
const STEADY_RESIDUAL_SEC = 0.012;

/**
 * Tracks beats: returns the sequence of frames with the best sum of onset strength and penalties for uneven steps.
 * @param strength onset strength at RHYTHM_RATE, standard deviation about one
 * @param period frames per beat
 */
export function trackBeats(strength: Float32Array, period: number): number[] {
  const count = strength.length;
  const score = new Float32Array(count);
  const from = new Int32Array(count).fill(-1);
  const near = Math.round(period / 2);
  const far = Math.round(period * 2);
  const penalty = new Float32Array(far + 1);
  for (let lag = near; lag <= far; lag++) penalty[lag] = -TIGHTNESS * Math.log(lag / period) ** 2;
  for (let i = 0; i < count; i++) {
    let best = 0;
    for (let lag = near; lag <= Math.min(far, i); lag++) {
      const candidate = score[i - lag]! + penalty[lag]!;
      if (candidate > best) {
        best = candidate;
        from[i] = i - lag;
      }
    }
    score[i] = strength[i]! + best;
  }
  let at = 0;
  for (let i = Math.max(0, count - Math.round(period)); i < count; i++) if (score[i]! >= score[at]!) at = i;
  const beats: number[] = [];
  for (let i = at; i >= 0; i = from[i]!) beats.push(i);
  return beats.reverse();
}

/** Weighted least squares of y over x. */
function fitLine(
  x: readonly number[],
  y: readonly number[],
  weights: readonly number[],
): { slope: number; offset: number } {
  let [w, wx, wy, wxx, wxy] = [1e-12, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const weight = weights[i]!;
    w += weight;
    wx += weight * x[i]!;
    wy += weight * y[i]!;
    wxx += weight * x[i]! * x[i]!;
    wxy += weight * x[i]! * y[i]!;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx || 1e-12);
  return { slope, offset: (wy - slope * wx) / w };
}

/**
 * Robust line fit: four rounds of least squares whose weights fall with the residual (Huber).
 * @param scale residual from which on the weight falls, in the unit of `y`
 */
export function fitRobustly(
  x: readonly number[],
  y: readonly number[],
  weights: readonly number[],
  scale: number,
): { slope: number; offset: number } {
  let line = fitLine(x, y, weights);
  for (let round = 0; round < 4; round++) {
    const robust = weights.map((weight, i) => {
      const residual = Math.abs(y[i]! - line.offset - line.slope * x[i]!);
      return residual <= scale ? weight : (weight * scale) / residual;
    });
    line = fitLine(x, y, robust);
  }
  return line;
}

/** A beat grid that is fitted to the onsets of a song. */
export type FittedGrid = {
  /** Beat times over the whole song, seconds. */
  times: number[];
  bpm: number;
  /** RMS distance of the tracked beats from the grid, seconds. */
  residual: number;
  /** True if the tempo is constant. */
  steady: boolean;
};

/** Position of the peak of `strength` within two frames of `at`, in fractional frames (parabolic interpolation). */
export function refinePeak(strength: Float32Array, at: number): number {
  let peak = at;
  for (let i = Math.max(1, at - 2); i <= Math.min(strength.length - 2, at + 2); i++) {
    if (strength[i]! > strength[peak]!) peak = i;
  }
  const [a, b, c] = [strength[peak - 1] ?? 0, strength[peak] ?? 0, strength[peak + 1] ?? 0];
  const curvature = a - 2 * b + c;
  return peak + (curvature < 0 ? Math.max(-0.5, Math.min(0.5, (0.5 * (a - c)) / curvature)) : 0);
}

/**
 * Fits a grid to tracked beats and extends it over [0, durationSec). Times lie on lines through the neighbouring beats; if one
 * line fits the whole song, all times lie on it.
 * @param frames tracked beats
 * @param strength onset strength at RHYTHM_RATE
 */
export function fitGrid(frames: readonly number[], strength: Float32Array, durationSec: number): FittedGrid {
  const refined = frames.map((frame) => refinePeak(strength, frame) / RHYTHM_RATE);
  const weights = frames.map((frame) => 0.05 + (strength[frame] ?? 0));
  const indices = frames.map((_, i) => i);
  const global = fitRobustly(indices, refined, weights, 0.01);
  const residuals = refined.map((time, i) => Math.abs(time - global.offset - global.slope * i));
  const steady = median(residuals) < STEADY_RESIDUAL_SEC;
  const smooth = indices.map((i) => {
    if (steady) return global.offset + global.slope * i;
    const from = Math.max(0, i - SMOOTHING_BEATS);
    const to = Math.min(frames.length, i + SMOOTHING_BEATS + 1);
    const line = fitRobustly(indices.slice(from, to), refined.slice(from, to), weights.slice(from, to), 0.01);
    return line.offset + line.slope * i;
  });
  const times = smooth.filter((time, i) => i === 0 || time > smooth[i - 1]! + 0.1);
  const span = Math.min(16, times.length - 1);
  const firstStep = (times[span]! - times[0]!) / span;
  const lastStep = (times.at(-1)! - times.at(-1 - span)!) / span;
  while (times[0]! - firstStep > -0.03) times.unshift(times[0]! - firstStep);
  while (times.at(-1)! + lastStep < durationSec) times.push(times.at(-1)! + lastStep);
  const inside = times.filter((time) => time > -0.03 && time < durationSec).map((time) => Math.max(0, time));
  const bpm = steady ? 60 / global.slope : (60 * (times.length - 1)) / (times.at(-1)! - times[0]!);
  const residual = Math.sqrt(refined.reduce((sum, time, i) => sum + (time - smooth[i]!) ** 2, 0) / refined.length);
  return { times: inside, bpm, residual, steady };
}
