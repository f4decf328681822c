/** The limiter of `limiter.ts` for a stream: its state runs on from piece to piece, so that pieces join without a step. */
import { limiterSettings, slidingMinimum } from './limiter.ts';
import { INTERPOLATION_REACH, markPeaks } from './true-peak.ts';

/** Values of consecutive samples of a stream, of which the earliest are dropped when no step needs them. */
class Track {
  values = new Float32Array(0);
  /** Sample of the stream at which `values` begin. */
  start = 0;

  get end(): number {
    return this.start + this.values.length;
  }

  append(more: Float32Array): void {
    const joined = new Float32Array(this.values.length + more.length);
    joined.set(this.values);
    joined.set(more, this.values.length);
    this.values = joined;
  }

  /** Samples [from, to) of the stream, as a view. */
  slice(from: number, to: number): Float32Array {
    return this.values.subarray(from - this.start, to - this.start);
  }

  dropBefore(sample: number): void {
    if (sample <= this.start) return;
    this.values = this.values.slice(sample - this.start);
    this.start = sample;
  }
}

/**
 * Limits a stream to a true peak. Its output equals that of `limitTruePeak` for the whole signal, up to rounding. It comes some
 * milliseconds late: `finish` returns the rest.
 */
export class TruePeakStreamLimiter {
  readonly #settings: ReturnType<typeof limiterSettings>;
  readonly #input: Track[];
  /** Gain that the peak at each sample needs. The last value may still fall. */
  readonly #needed = new Track();
  /** Gain after look-ahead and recovery. */
  readonly #gains = new Track();
  #peaksDone = 0;
  #released = 0;
  #gain = 1;

  /** @param channels number of channels, which all get the same gain */
  constructor(sampleRate: number, ceilingDb: number, channels: number) {
    this.#settings = limiterSettings(sampleRate, ceilingDb);
    this.#input = Array.from({ length: channels }, () => new Track());
  }

  /** Adds the next samples, equally long channels, and returns the limited samples that are certain. */
  push(channels: readonly Float32Array[]): Float32Array[] {
    this.#input.forEach((track, c) => track.append(channels[c]!));
    return this.#advance(false);
  }

  /** Ends the stream and returns what is left of it. */
  finish(): Float32Array[] {
    return this.#advance(true);
  }

  #advance(isEnd: boolean): Float32Array[] {
    const { reach } = this.#settings;
    const length = this.#input[0]!.end;
    this.#findPeaks(isEnd ? length : Math.max(this.#peaksDone, length - INTERPOLATION_REACH));
    // The peak before the first sample that was not scanned may raise that sample, but no earlier one.
    this.#followPeaks(isEnd ? length : this.#peaksDone - reach, isEnd);
    const to = isEnd ? length : Math.max(this.#released, this.#gains.end - reach);
    const limited = this.#apply(this.#released, to, length);
    this.#released = to;
    for (const track of this.#input) track.dropBefore(Math.min(to, this.#peaksDone - INTERPOLATION_REACH));
    this.#needed.dropBefore(this.#gains.end - reach);
    this.#gains.dropBefore(to - reach - 1);
    return limited;
  }

  /** Finds the gains that peaks need, up to the gap behind sample `to - 1`. */
  #findPeaks(to: number): void {
    const { threshold } = this.#settings;
    const from = this.#peaksDone;
    if (to <= from) return;
    const start = this.#input[0]!.start;
    const peaks = new Float32Array(this.#input[0]!.values.length);
    for (const { values } of this.#input) markPeaks(values, threshold, peaks, from - start, to - start);
    const known = this.#needed.end;
    this.#needed.append(new Float32Array(Math.min(to + 1, this.#input[0]!.end) - known).fill(1));
    for (let i = from; i < this.#needed.end; i++) {
      const peak = peaks[i - start]!;
      if (peak <= threshold) continue;
      const at = i - this.#needed.start;
      this.#needed.values[at] = Math.min(this.#needed.values[at]!, threshold / peak);
    }
    this.#peaksDone = to;
  }

  /** Computes gains up to sample `to`, whose look-ahead is known. */
  #followPeaks(to: number, isEnd: boolean): void {
    const { reach, release } = this.#settings;
    const from = this.#gains.end;
    if (to <= from) return;
    const first = Math.max(this.#needed.start, from - reach);
    const lowest = slidingMinimum(this.#needed.slice(first, isEnd ? to : to + reach), reach);
    const gains = new Float32Array(to - from);
    for (let i = from; i < to; i++) {
      this.#gain = Math.min(lowest[i - first]!, this.#gain + (1 - this.#gain) * release);
      gains[i - from] = this.#gain;
    }
    this.#gains.append(gains);
  }

  /** Multiplies samples [from, to) by the mean gain of their neighbours. Beyond the ends of the stream the last gain is repeated. */
  #apply(from: number, to: number, length: number): Float32Array[] {
    const { reach } = this.#settings;
    const { values, start } = this.#gains;
    const at = (i: number): number => values[Math.max(0, Math.min(length - 1, i)) - start] ?? 1;
    const limited = this.#input.map((track) => track.slice(from, to).slice());
    let sum = 0;
    for (let i = from - reach; i < from + reach; i++) sum += at(i);
    for (let i = from; i < to; i++) {
      sum += at(i + reach);
      const mean = sum / (2 * reach + 1);
      for (const samples of limited) samples[i - from]! *= mean;
      sum -= at(i - reach);
    }
    return limited;
  }
}
