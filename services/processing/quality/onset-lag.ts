/** Timing of two songs against each other: milliseconds between their onsets, and beats between their patterns. */
import { ENVELOPE_HOP, type OnsetEnvelopes } from '../measure/onsets.ts';

/** Largest lag that is looked for. Onsets further apart do not belong together. */
const REACH_SEC = 0.06;
/** Bars over which one lag is measured. */
const WINDOW_BARS = 2;
/** A window with a smaller correlation of onsets gives no lag. */
const MIN_CORRELATION = 0.2;
/** Values for each beat in which patterns are compared. */
const SLOTS_PER_BEAT = 4;
/** Offsets, in beats, at which a song may be misplaced in the metre. */
export const BEAT_OFFSETS = [0, -0.5, 0.5, -1, 1, -2, 2] as const;

/** Lag of `b` behind `a` in values of the envelopes, at most `reach`; undefined if the two have no onsets in common. */
function lagBetween(a: Float32Array, b: Float32Array, reach: number): number | undefined {
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    aa += a[i]! * a[i]!;
    bb += (b[i] ?? 0) ** 2;
  }
  if (aa < 1e-3 || bb < 1e-3) return undefined;
  const correlation = new Float64Array(2 * reach + 1);
  for (let lag = -reach; lag <= reach; lag++) {
    let sum = 0;
    for (let i = Math.max(0, -lag); i < Math.min(a.length, b.length - lag); i++) sum += a[i]! * b[i + lag]!;
    correlation[lag + reach] = sum / Math.sqrt(aa * bb);
  }
  let best = 0;
  correlation.forEach((value, i) => {
    if (value > correlation[best]!) best = i;
  });
  if (correlation[best]! < MIN_CORRELATION || best === 0 || best === 2 * reach) return undefined;
  const [left, top, right] = [correlation[best - 1]!, correlation[best]!, correlation[best + 1]!];
  return best - reach + (0.5 * (left - right)) / (left - 2 * top + right || 1);
}

/**
 * Milliseconds by which the onsets of `b` are late against those of `a` (negative: early), one value for each window of two bars in
 * which they can be compared.
 */
export function lags(a: OnsetEnvelopes, b: OnsetEnvelopes, barSec: number, sampleRate: number): number[] {
  const perSec = sampleRate / ENVELOPE_HOP;
  const window = Math.round(WINDOW_BARS * barSec * perSec);
  const reach = Math.round(REACH_SEC * perSec);
  const found: number[] = [];
  for (let from = 0; from + window <= Math.min(a.attack.length, b.attack.length); from += window) {
    const lag = lagBetween(a.attack.subarray(from, from + window), b.attack.subarray(from, from + window), reach);
    if (lag !== undefined) found.push((1000 * lag) / perSec);
  }
  return found;
}

/** The strongest onset around each quarter of a beat, as a vector without its mean and of length 1. */
function pattern(envelope: Float32Array, beatSec: number, sampleRate: number): Float32Array {
  const slot = ((beatSec / SLOTS_PER_BEAT) * sampleRate) / ENVELOPE_HOP;
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
 * Correlation, -1..1, of the kick and snare patterns of two songs, with `b` moved earlier by each of `BEAT_OFFSETS`. If another offset
 * than 0 fits clearly better, one of the songs is misplaced in the metre of the other.
 */
export function patternCorrelations(
  a: OnsetEnvelopes,
  b: OnsetEnvelopes,
  beatSec: number,
  sampleRate: number,
): number[] {
  const pairs = (['kick', 'snare'] as const).map((part) => [
    pattern(a[part], beatSec, sampleRate),
    pattern(b[part], beatSec, sampleRate),
  ]);
  return BEAT_OFFSETS.map((offset) => {
    const shift = Math.round(offset * SLOTS_PER_BEAT);
    const sums = pairs.map(([x, y]) => {
      let sum = 0;
      for (let i = Math.max(0, -shift); i < Math.min(x!.length, y!.length - shift); i++) sum += x![i]! * y![i + shift]!;
      return (sum * x!.length) / Math.max(1, x!.length - Math.abs(shift));
    });
    return (sums[0]! + sums[1]!) / 2;
  });
}
