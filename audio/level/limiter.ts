/**
 * A look-ahead true-peak limiter. The gain is computed from interpolated peaks, falls before a peak and recovers slowly after
 * it. All channels have the same gain.
 */
import { markPeaks } from './true-peak.ts';

/** Time before a peak at which the gain starts to fall. */
const LOOKAHEAD_SEC = 0.005;
/** Time constant of the recovery. */
const RELEASE_SEC = 0.12;
/**
 * Distance of the limiter's threshold from the ceiling. Compensates gain changes between two samples and interpolation
 * filters of players that differ from ours.
 */
const LIMITER_MARGIN_DB = 0.3;

/** Gain reduction of a limited signal. */
export type LimiterReport = {
  max_reduction_db: number;
  /** 95th percentile of the reduction over all samples. */
  p95_reduction_db: number;
};

/** The minimum of each value and its `reach` neighbours on both sides. */
export function slidingMinimum(values: Float32Array, reach: number): Float32Array {
  const result = new Float32Array(values.length);
  const queue = new Int32Array(values.length);
  let head = 0;
  let tail = 0;
  for (let i = 0; i < values.length + reach; i++) {
    if (i < values.length) {
      while (tail > head && values[queue[tail - 1]!]! >= values[i]!) tail--;
      queue[tail++] = i;
    }
    const centre = i - reach;
    if (centre < 0) continue;
    while (queue[head]! < centre - reach) head++;
    result[centre] = values[queue[head]!]!;
  }
  return result;
}

/** The mean of each value and its `reach` neighbours on both sides. Beyond the ends the last value is repeated. */
function smooth(values: Float32Array, reach: number, into: Float32Array): void {
  const width = 2 * reach + 1;
  const last = values.length - 1;
  const at = (i: number): number => values[Math.max(0, Math.min(last, i))] ?? 1;
  let sum = at(0) * reach;
  for (let i = 0; i < reach; i++) sum += at(i);
  for (let i = 0; i < values.length; i++) {
    sum += at(i + reach);
    into[i] = sum / width;
    sum -= at(i - reach);
  }
}

/** Counts the reduction of samples, in bins of a tenth of a decibel. */
export class ReductionCount {
  readonly #bins = new Uint32Array(601);
  #lowest = 1;
  #length = 0;

  /** Adds the gains of samples. */
  add(gains: Float32Array): void {
    this.#length += gains.length;
    for (let i = 0; i < gains.length; i++) {
      const gain = gains[i]!;
      if (gain < this.#lowest) this.#lowest = gain;
      this.#bins[gain >= 1 ? 0 : Math.min(600, Math.ceil(-200 * Math.log10(gain)))]!++;
    }
  }

  /** The reduction of all samples so far. */
  report(): LimiterReport {
    let count = 0;
    let p95 = 0;
    while (p95 < 600 && (count += this.#bins[p95]!) < 0.95 * this.#length) p95++;
    const max_reduction_db = this.#lowest >= 1 ? 0 : -20 * Math.log10(this.#lowest);
    return { max_reduction_db, p95_reduction_db: p95 / 10 };
  }
}

/** Settings of the limiter in samples and linear magnitudes. */
export function limiterSettings(
  sampleRate: number,
  ceilingDb: number,
): { threshold: number; reach: number; release: number } {
  return {
    threshold: 10 ** ((ceilingDb - LIMITER_MARGIN_DB) / 20),
    reach: Math.round((LOOKAHEAD_SEC * sampleRate) / 2),
    release: 1 - Math.exp(-1 / (RELEASE_SEC * sampleRate)),
  };
}

/** Limits equally long channels in place to a true peak of at most `ceilingDb` (dBTP). Returns the applied reduction. */
export function limitTruePeak(channels: Float32Array[], sampleRate: number, ceilingDb: number): LimiterReport {
  const { threshold, reach, release } = limiterSettings(sampleRate, ceilingDb);
  const needed = new Float32Array(channels[0]?.length ?? 0);
  for (const samples of channels) markPeaks(samples, threshold, needed);
  for (let i = 0; i < needed.length; i++) needed[i] = needed[i]! > threshold ? threshold / needed[i]! : 1;

  const gains = slidingMinimum(needed, reach);
  let gain = 1;
  for (let i = 0; i < gains.length; i++) {
    gain = Math.min(gains[i]!, gain + (1 - gain) * release);
    gains[i] = gain;
  }
  smooth(gains, reach, needed);
  for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= needed[i]!;
  const count = new ReductionCount();
  count.add(needed);
  return count.report();
}
