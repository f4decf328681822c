/** The WebAssembly kernel of time-stretching (`kernel/stretch.c`): its tables, and one step of it. */
import { besselI0 } from './bessel.ts';
import { STRETCH_WASM } from './kernel/stretch-wasm.ts';

/** Sizes that the transforms support, as factors of a power of two. */
const OUTER_FACTORS = [1, 3, 5] as const;
const MIN_INNER = 32;
/** Largest number of bins, as in `kernel/fft.h`. */
const MAX_BINS = 16_384;

type Exports = {
  memory: WebAssembly.Memory;
  tables: () => number;
  input: (channel: number) => number;
  output: (channel: number) => number;
  configure: (
    channels: number,
    block: number,
    interval: number,
    outer: number,
    inner: number,
    formants: number,
  ) => void;
  step: (timeFactor: number, reanalyse: number) => void;
};

/** Sizes in samples, and the factor by which formants move. */
export type KernelSettings = { channels: number; block: number; interval: number; formantFactor: number };

/** The smallest transform with at least half as many bins as a block has samples. */
function transformSize(block: number): { outer: number; inner: number } {
  const sizes = OUTER_FACTORS.map((outer) => {
    let inner = MIN_INNER;
    while (2 * outer * inner < block) inner *= 2;
    return { outer, inner };
  });
  return sizes.reduce((best, size) => (size.outer * size.inner < best.outer * best.inner ? size : best));
}

/**
 * A Kaiser window whose squares sum to one at every sample, when it is repeated each `interval` samples. Its bandwidth is that of the
 * interval, by the library's heuristic.
 */
function kaiserWindow(block: number, interval: number): Float64Array {
  const ratio = block / interval;
  const bandwidth = Math.max(2, ratio + 8 / (ratio + 3) ** 2 + 0.25 * Math.max(3 - ratio, 0));
  const beta = Math.PI * Math.sqrt(bandwidth ** 2 / 4 - 1);
  const window = Float64Array.from({ length: block }, (_, i) =>
    besselI0(beta * Math.sqrt(1 - ((2 * i + 1) / block - 1) ** 2)),
  );
  for (let i = 0; i < interval; i++) {
    let sum = 0;
    for (let at = i; at < block; at += interval) sum += window[at]! ** 2;
    for (let at = i; at < block; at += interval) window[at]! /= Math.sqrt(sum);
  }
  return window;
}

/** Cosines and sines of -2 pi * `turns(k)`, k = 0 … count - 1: first all cosines, then all sines. */
function turnTable(count: number, turns: (k: number) => number): number[] {
  const angles = Array.from({ length: count }, (_, k) => -2 * Math.PI * turns(k));
  return [...angles.map(Math.cos), ...angles.map(Math.sin)];
}

/** The tables of `configure`, in its order. */
function makeTables(block: number, interval: number, outer: number, inner: number): Float32Array {
  const bins = outer * inner;
  return Float32Array.from([
    ...kaiserWindow(block, interval),
    ...turnTable((3 * inner) / 4, (k) => k / inner),
    ...turnTable((3 * inner) / 4, (k) => ((k % (inner / 4)) * (1 + Math.floor((4 * k) / inner))) / inner),
    ...turnTable((outer - 1) * inner, (k) => ((k % inner) * (1 + Math.floor(k / inner))) / bins),
    ...turnTable(bins, (k) => k / (2 * bins)),
    ...turnTable(bins / 2, (k) => (k + 0.5) / (2 * bins) + 0.25),
  ]);
}

/** One kernel with memory of its own. Calls block the thread. */
export class StretchKernel {
  private readonly exports: Exports;
  private configured: KernelSettings | undefined;

  private constructor(exports: Exports) {
    this.exports = exports;
  }

  /** Starts a kernel. */
  static async create(): Promise<StretchKernel> {
    const { instance } = await WebAssembly.instantiate(STRETCH_WASM);
    return new StretchKernel(instance.exports as Exports);
  }

  /**
   * Sets the sizes and forgets all sound.
   * @throws RangeError if the block is longer than the kernel's memory, or not longer than the interval
   */
  configure(settings: KernelSettings): void {
    const { channels, block, interval, formantFactor } = settings;
    const { outer, inner } = transformSize(block);
    if (outer * inner > MAX_BINS || interval < 1 || block <= interval) {
      throw new RangeError(`No stretching with blocks of ${block} samples and intervals of ${interval}.`);
    }
    const { exports, configured } = this;
    if (configured?.block !== block || configured.interval !== interval) {
      const tables = makeTables(block, interval, outer, inner);
      new Float32Array(exports.memory.buffer, exports.tables(), tables.length).set(tables);
    }
    exports.configure(channels, block, interval, outer, inner, formantFactor);
    this.configured = settings;
  }

  /** The input of a channel: `interval + block` samples, of which the last `block` are stretched next. */
  input(channel: number): Float32Array {
    const { block, interval } = this.configured!;
    return new Float32Array(this.exports.memory.buffer, this.exports.input(channel), block + interval);
  }

  /** The output of a channel: after a step, its first `interval` samples are complete. */
  output(channel: number): Float32Array {
    const { interval } = this.configured!;
    return new Float32Array(this.exports.memory.buffer, this.exports.output(channel), interval);
  }

  /**
   * Stretches the input by one interval. `timeFactor` is the interval divided by the distance from the previous input. With
   * `reanalyse`, the start of the input is analysed as well; else the previous input is taken for it.
   */
  step(timeFactor: number, reanalyse: boolean): void {
    this.exports.step(timeFactor, reanalyse ? 1 : 0);
  }
}
