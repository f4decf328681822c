/** Overlapping frames of a stream, and growing lists of features. */

/** Splits a stream of samples into frames of `size` samples every `hop` samples. Frame i is centred on sample i * hop. */
export class FrameReader {
  private readonly size: number;
  private readonly hop: number;
  private readonly visit: (samples: Float32Array) => void;
  private pending: Float32Array;
  private filled: number;

  /** @param visit is called with each frame; its array is reused */
  constructor(size: number, hop: number, visit: (samples: Float32Array) => void) {
    this.size = size;
    this.hop = hop;
    this.visit = visit;
    this.pending = new Float32Array(size * 4);
    this.filled = size / 2;
  }

  /** Adds the next samples. */
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

  /** Ends the stream with half a frame of silence, so that its last samples are covered. */
  flush(): void {
    this.push(new Float32Array(this.size / 2));
  }
}

/** A growing list of 32-bit floats. Uses less memory than an array of numbers. */
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

  /** A copy of the values. */
  take(): Float32Array {
    return this.values.slice(0, this.count);
  }
}
