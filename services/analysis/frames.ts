/** Overlapping windows of a stream. */

/** Cuts a stream of samples into windows of `size` every `hop` samples; window i is centred on sample i * hop. */
export class FrameReader {
  private readonly size: number;
  private readonly hop: number;
  private readonly visit: (samples: Float32Array) => void;
  private pending: Float32Array;
  private filled: number;

  constructor(size: number, hop: number, visit: (samples: Float32Array) => void) {
    this.size = size;
    this.hop = hop;
    this.visit = visit;
    this.pending = new Float32Array(size * 4);
    this.filled = size / 2;
  }

  push(samples: Float32Array): void {
    let offset = 0;
    while (offset < samples.length) {
      const count = Math.min(samples.length - offset, this.pending.length - this.filled);
      this.pending.set(samples.subarray(offset, offset + count), this.filled);
      this.filled += count;
      offset += count;
      let start = 0;
      for (; start + this.size <= this.filled; start += this.hop) {
        this.visit(this.pending.subarray(start, start + this.size));
      }
      this.pending.copyWithin(0, start, this.filled);
      this.filled -= start;
    }
  }

  /** Lets the windows over the end of the stream through. */
  flush(): void {
    this.push(new Float32Array(this.size / 2));
  }
}

/** Numbers that grow without an array of boxed values behind them. */
export class FloatList {
  private values = new Float32Array(1024);
  private count = 0;

  get length(): number {
    return this.count;
  }

  add(value: number): void {
    if (this.count === this.values.length) {
      const grown = new Float32Array(this.count * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.count++] = value;
  }

  take(): Float32Array {
    return this.values.slice(0, this.count);
  }
}
