/** The limiter of `limiter.ts` for a signal that is limited several times at different gains: its peaks are interpolated once. */
import { type LimiterReport, limiterSettings, ReductionCount, slidingMinimum } from './limiter.ts';
import { markPeaks } from './true-peak.ts';

/** Samples that are limited at a time. */
const BLOCK = 1 << 15;
/** Peaks that are marked although a gain so much lower would do: the next gain may be higher. */
const ROOM_DB = 3;

/** Limits a signal repeatedly. */
export class RepeatLimiter {
  readonly #channels: readonly Float32Array[];
  readonly #sampleRate: number;
  /** True-peak magnitude at each sample that may exceed the threshold; 0 elsewhere. */
  #peaks = new Float32Array(0);
  /** Peaks below it are not marked. */
  #floor = Infinity;

  /** @param channels equally long; they must not change */
  constructor(channels: readonly Float32Array[], sampleRate: number) {
    this.#channels = channels;
    this.#sampleRate = sampleRate;
  }

  /**
   * Writes the signal to `into`, amplified by `gainDb` and limited to a true peak of at most `ceilingDb`. The result equals that of
   * `limitTruePeak` up to rounding.
   */
  limit(gainDb: number, ceilingDb: number, into: readonly Float32Array[]): LimiterReport {
    const gain = 10 ** (gainDb / 20);
    const count = new ReductionCount();
    this.#reduce(gain, ceilingDb, (from, reductions) => {
      count.add(reductions);
      this.#channels.forEach((samples, c) => {
        const target = into[c]!;
        for (let i = 0; i < reductions.length; i++) target[from + i] = samples[from + i]! * gain * reductions[i]!;
      });
    });
    return count.report();
  }

  /** Writes the factor of each sample to `into`: what `limit` multiplies the signal by. */
  gains(gainDb: number, ceilingDb: number, into: Float32Array): void {
    const gain = 10 ** (gainDb / 20);
    this.#reduce(gain, ceilingDb, (from, reductions) => {
      for (let i = 0; i < reductions.length; i++) into[from + i] = gain * reductions[i]!;
    });
  }

  /** Calls `use` with the reductions of the signal at a gain, block after block. They are valid during the call. */
  #reduce(gain: number, ceilingDb: number, use: (from: number, reductions: Float32Array) => void): void {
    const settings = limiterSettings(this.#sampleRate, ceilingDb);
    const threshold = settings.threshold / gain;
    this.#mark(threshold);
    const length = this.#peaks.length;
    const gains = this.#smoothGains({ ...settings, threshold });
    for (let from = 0; from < length; from += BLOCK) use(from, gains(from, Math.min(length, from + BLOCK)));
  }

  /** Marks all peaks above `threshold`. */
  #mark(threshold: number): void {
    if (threshold >= this.#floor) return;
    this.#floor = threshold / 10 ** (ROOM_DB / 20);
    this.#peaks = new Float32Array(this.#channels[0]?.length ?? 0);
    for (const samples of this.#channels) markPeaks(samples, this.#floor, this.#peaks);
  }

  /** Returns a function that computes the gains of samples [from, to), block after block. */
  #smoothGains({
    threshold,
    reach,
    release,
  }: ReturnType<typeof limiterSettings>): (from: number, to: number) => Float32Array {
    const peaks = this.#peaks;
    const length = peaks.length;
    /** Gains after look-ahead and recovery, from `reach` samples before the block to `reach` behind it. */
    const released = new Float32Array(BLOCK + 2 * reach);
    const smoothed = new Float32Array(BLOCK);
    let known = 0;
    let gain = 1;
    return (from, to) => {
      const first = from - reach;
      if (from > 0) released.copyWithin(0, BLOCK);
      const until = Math.min(length, to + reach);
      const low = Math.max(0, known - reach);
      const needed = new Float32Array(Math.min(length, until + reach) - low);
      for (let i = 0; i < needed.length; i++) {
        const peak = peaks[low + i]!;
        needed[i] = peak > threshold ? threshold / peak : 1;
      }
      const lowest = slidingMinimum(needed, reach);
      for (; known < until; known++) {
        gain = Math.min(lowest[known - low]!, gain + (1 - gain) * release);
        released[known - first] = gain;
      }
      const at = (i: number): number => released[Math.max(0, Math.min(length - 1, i)) - first]!;
      let sum = 0;
      for (let i = first; i < from + reach; i++) sum += at(i);
      for (let i = from; i < to; i++) {
        sum += at(i + reach);
        smoothed[i - from] = sum / (2 * reach + 1);
        sum -= at(i - reach);
      }
      return smoothed.subarray(0, to - from);
    };
  }
}
