/** Reads a file as it lies in its song: shifted, amplified, and with silence before and after it. */
import type { StereoChunk } from '../../../audio/decode/decode.ts';

/** Fractions of a sample below this are not heard. */
const SMALL_FRACTION = 0.1;
/** Taps of the filter that shifts by a fraction of a sample, on each side. */
const HALF_TAPS = 16;

/** How a file lies in its song: samples by which it starts later, and the factor of its level. */
export interface Placement {
  shift: number;
  gain: number;
}

/** A file that is read sample by sample of its song. */
export class AlignedFile {
  readonly #chunks: AsyncIterator<StereoChunk>;
  readonly #gain: number;
  readonly #taps: Float32Array | undefined;
  #rest: StereoChunk = [new Float32Array(0), new Float32Array(0)];
  /** Samples of silence that are still to come before the file. */
  #silence: number;
  /** Samples at the start of the file that are before the song. */
  #skip: number;

  constructor(chunks: AsyncIterable<StereoChunk>, { shift, gain }: Placement) {
    const whole = Math.round(shift);
    const isFractional = Math.abs(shift - whole) >= SMALL_FRACTION;
    this.#taps = isFractional ? fractionalTaps(shift - whole) : undefined;
    // The filter delays by half of its length.
    const start = whole - (isFractional ? HALF_TAPS : 0);
    this.#chunks = (isFractional ? filtered(chunks, this.#taps!) : chunks)[Symbol.asyncIterator]();
    this.#gain = gain;
    this.#silence = Math.max(0, start);
    this.#skip = Math.max(0, -start);
  }

  /** Returns the next `length` samples. After the end of the file they are silent. */
  async read(length: number): Promise<StereoChunk> {
    const out: StereoChunk = [new Float32Array(length), new Float32Array(length)];
    let at = Math.min(this.#silence, length);
    this.#silence -= at;
    while (at < length && (await this.#fill())) {
      const count = Math.min(this.#rest[0].length, length - at);
      for (const channel of [0, 1] as const) {
        const from = this.#rest[channel];
        for (let i = 0; i < count; i++) out[channel][at + i] = from[i]! * this.#gain;
      }
      this.#rest = [this.#rest[0].subarray(count), this.#rest[1].subarray(count)];
      at += count;
    }
    return out;
  }

  /** Reads the file to its end, where its last faults are found. */
  async finish(): Promise<void> {
    for (let next = await this.#chunks.next(); !next.done;) next = await this.#chunks.next();
  }

  /** Number of samples that can be read without decoding more; 0 at the end of the file. */
  async ready(): Promise<number> {
    if (this.#silence > 0) return this.#silence;
    return (await this.#fill()) ? this.#rest[0].length : 0;
  }

  async #fill(): Promise<boolean> {
    while (this.#rest[0].length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      const [left, right] = next.value;
      const skipped = Math.min(this.#skip, left.length);
      this.#skip -= skipped;
      this.#rest = [left.subarray(skipped), right.subarray(skipped)];
    }
    return true;
  }
}

/** A windowed sinc that delays by `HALF_TAPS` samples and a fraction. */
function fractionalTaps(fraction: number): Float32Array {
  const taps = Float32Array.from({ length: 2 * HALF_TAPS + 1 }, (_, i) => {
    const x = i - HALF_TAPS - fraction;
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (HALF_TAPS + 1));
    return x === 0 ? 1 : (window * Math.sin(Math.PI * x)) / (Math.PI * x);
  });
  const sum = taps.reduce((all, tap) => all + tap, 0);
  return taps.map((tap) => tap / sum);
}

async function* filtered(chunks: AsyncIterable<StereoChunk>, taps: Float32Array): AsyncGenerator<StereoChunk> {
  const memory = taps.length - 1;
  let before: StereoChunk = [new Float32Array(memory), new Float32Array(memory)];
  const filter = (chunk: StereoChunk): StereoChunk => {
    const joined = chunk.map((channel, c) => {
      const all = new Float32Array(memory + channel.length);
      all.set(before[c as 0 | 1]);
      all.set(channel, memory);
      return all;
    });
    before = [joined[0]!.slice(-memory), joined[1]!.slice(-memory)];
    const out = joined.map((all) =>
      Float32Array.from({ length: all.length - memory }, (_, i) => {
        let sum = 0;
        for (let tap = 0; tap < taps.length; tap++) sum += taps[tap]! * all[i + memory - tap]!;
        return sum;
      }),
    );
    return [out[0]!, out[1]!];
  };
  for await (const chunk of chunks) if (chunk[0].length > 0) yield filter(chunk);
  yield filter([new Float32Array(memory), new Float32Array(memory)]);
}
