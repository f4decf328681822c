/** The level of a stem over time. */
import type { Curve } from '../../../schema.ts';

const HOP_SEC = 0.5;
/** Level of 0, relative to the loud parts (95th percentile), which have 1. */
const RANGE_DB = 40;

/** Measures the level, 0..1 on a scale of decibels as the energy curve of the analysis, of one channel that comes in blocks. */
export class LevelMeter {
  readonly #hop: number;
  readonly #levels: number[] = [];
  #sum = 0;
  #count = 0;

  constructor(sampleRate: number) {
    this.#hop = Math.round(HOP_SEC * sampleRate);
  }

  /** Adds the next samples. */
  add(mono: Float32Array): void {
    for (let from = 0; from < mono.length;) {
      const to = Math.min(mono.length, from + this.#hop - this.#count);
      for (let i = from; i < to; i++) this.#sum += mono[i]! * mono[i]!;
      this.#count += to - from;
      from = to;
      if (this.#count === this.#hop) this.#endHop();
    }
  }

  #endHop(): void {
    this.#levels.push(10 * Math.log10(this.#sum / this.#count + 1e-12));
    this.#sum = 0;
    this.#count = 0;
  }

  /** The level of all samples. No more may be added. */
  curve(): Curve {
    if (this.#count > 0) this.#endHop();
    const levels = this.#levels;
    const loud = levels.toSorted((a, b) => a - b)[Math.floor(levels.length * 0.95)] ?? 0;
    return { hop_sec: HOP_SEC, values: levels.map((level) => Math.max(0, Math.min(1, 1 + (level - loud) / RANGE_DB))) };
  }
}
