/** How two songs lie on each other in time: milliseconds between their strokes, and beats between their patterns. */
import { EAR_HOP, type Percussion } from '../measure/onsets.ts';

/** Furthest that strokes are looked for from each other; beyond, they are other strokes. */
const REACH_SEC = 0.06;
/** Bars that one lag is measured over. */
const WINDOW_BARS = 2;
/** Windows whose strokes have less in common than this say nothing of time. */
const MIN_LIKENESS = 0.2;
/** Values for each beat that patterns are compared in. */
const SLOTS_PER_BEAT = 4;
/** Displacements, in beats, that a wrong metre shows in. */
export const PHASES = [0, -0.5, 0.5, -1, 1, -2, 2] as const;

/** Positive where `b` is late, in values; undefined where the two have no strokes in common. */
function lagBetween(a: Float32Array, b: Float32Array, reach: number): number | undefined {
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    aa += a[i]! * a[i]!;
    bb += (b[i] ?? 0) ** 2;
  }
  if (aa < 1e-3 || bb < 1e-3) return undefined;
  const likeness = new Float64Array(2 * reach + 1);
  for (let lag = -reach; lag <= reach; lag++) {
    let sum = 0;
    for (let i = Math.max(0, -lag); i < Math.min(a.length, b.length - lag); i++) sum += a[i]! * b[i + lag]!;
    likeness[lag + reach] = sum / Math.sqrt(aa * bb);
  }
  let best = 0;
  likeness.forEach((value, i) => {
    if (value > likeness[best]!) best = i;
  });
  if (likeness[best]! < MIN_LIKENESS || best === 0 || best === 2 * reach) return undefined;
  const [left, top, right] = [likeness[best - 1]!, likeness[best]!, likeness[best + 1]!];
  return best - reach + (0.5 * (left - right)) / (left - 2 * top + right || 1);
}

/** Milliseconds by which the strokes of `b` are late (early if negative), one for each two bars that tell. */
export function lags(a: Percussion, b: Percussion, barSec: number, sampleRate: number): number[] {
  const perSec = sampleRate / EAR_HOP;
  const window = Math.round(WINDOW_BARS * barSec * perSec);
  const reach = Math.round(REACH_SEC * perSec);
  const found: number[] = [];
  for (let from = 0; from + window <= Math.min(a.attack.length, b.attack.length); from += window) {
    const lag = lagBetween(a.attack.subarray(from, from + window), b.attack.subarray(from, from + window), reach);
    if (lag !== undefined) found.push((1000 * lag) / perSec);
  }
  return found;
}

/** Mean stroke around each quarter of a beat, its mean taken away and scaled to length 1. */
function pattern(envelope: Float32Array, beatSec: number, sampleRate: number): Float32Array {
  const slot = ((beatSec / SLOTS_PER_BEAT) * sampleRate) / EAR_HOP;
  const count = Math.floor(envelope.length / slot);
  const values = Float32Array.from({ length: count }, (_, k) => {
    let peak = 0;
    const to = Math.min(envelope.length, Math.round((k + 0.5) * slot));
    for (let i = Math.max(0, Math.round((k - 0.5) * slot)); i < to; i++) peak = Math.max(peak, envelope[i]!);
    return peak;
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, count);
  const length = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return values.map((value) => (length > 1e-6 ? (value - mean) / length : 0));
}

/**
 * Likeness of kick and snare patterns with `b` brought forward by each of `PHASES` beats, -1..1. Where another displacement than 0
 * fits clearly better, one of the two songs lies beside the other's metre.
 */
export function phaseLikeness(a: Percussion, b: Percussion, beatSec: number, sampleRate: number): number[] {
  const pairs = (['kick', 'snare'] as const).map((part) => [
    pattern(a[part], beatSec, sampleRate),
    pattern(b[part], beatSec, sampleRate),
  ]);
  return PHASES.map((phase) => {
    const shift = Math.round(phase * SLOTS_PER_BEAT);
    const sums = pairs.map(([x, y]) => {
      let sum = 0;
      for (let i = Math.max(0, -shift); i < Math.min(x!.length, y!.length - shift); i++) sum += x![i]! * y![i + shift]!;
      return (sum * x!.length) / Math.max(1, x!.length - Math.abs(shift));
    });
    return (sums[0]! + sums[1]!) / 2;
  });
}
