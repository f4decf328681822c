/** Curves over time: energy and waveform peaks. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { FloatList } from './frames.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';

/** Step of energy and voice curves. */
export const CURVE_HOP_SEC = 0.5;
/** Resolution of the waveform. */
export const PEAKS_PER_SEC = 20;
/** Level of energy 0 relative to energy 1, dB. */
const ENERGY_RANGE_DB = 40;

/** Means of a feature with `rate` frames per second over steps of `CURVE_HOP_SEC`. */
export function resampleCurve(values: Float32Array, rate: number, durationSec: number): number[] {
  return Array.from({ length: Math.max(1, Math.ceil(durationSec / CURVE_HOP_SEC)) }, (_, step) => {
    const from = Math.min(values.length - 1, Math.floor(step * CURVE_HOP_SEC * rate));
    const to = Math.max(from + 1, Math.min(values.length, Math.floor((step + 1) * CURVE_HOP_SEC * rate)));
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i]!;
    return sum / (to - from);
  });
}

/**
 * Energy over time, 0..1, in steps of `CURVE_HOP_SEC`: the level relative to the 95th percentile of the song.
 * @param power mean square at RHYTHM_RATE
 */
export function energyCurve(power: Float32Array, durationSec: number): number[] {
  const levels = resampleCurve(power, RHYTHM_RATE, durationSec).map((value) => 10 * Math.log10(value + 1e-10));
  const loudest = [...levels].sort((a, b) => a - b)[Math.floor(levels.length * 0.95)]!;
  return levels.map((level) => Math.max(0, Math.min(1, 1 + (level - loudest) / ENERGY_RANGE_DB)));
}

/** Waveform of a stream: the largest magnitude of all channels, `PEAKS_PER_SEC` values a second. */
export class WaveformPeaks {
  private readonly peaks = new FloatList();
  private position = 0;
  private peak = 0;

  /** Adds the next samples: equally long channels. */
  push(channels: readonly Float32Array[]): void {
    const length = channels[0]?.length ?? 0;
    for (let from = 0; from < length;) {
      const stepEnd = Math.round(((this.peaks.length + 1) * SAMPLE_RATE) / PEAKS_PER_SEC);
      const to = Math.min(length, from + stepEnd - this.position);
      for (const samples of channels) {
        for (let i = from; i < to; i++) this.peak = Math.max(this.peak, Math.abs(samples[i]!));
      }
      this.position += to - from;
      from = to;
      if (this.position === stepEnd) this.close();
    }
  }

  /** Ends the stream. Returns the peaks, 0..1. */
  finish(): number[] {
    const closed = Math.round((this.peaks.length * SAMPLE_RATE) / PEAKS_PER_SEC);
    if (this.position > closed) this.close();
    return Array.from(this.peaks.take());
  }

  private close(): void {
    this.peaks.add(Math.min(1, this.peak));
    this.peak = 0;
  }
}
