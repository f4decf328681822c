/** Collects the chunks of a stem as one channel. */
import { toMono } from '../measure/onsets.ts';

/** One channel, the mean of both, of chunks at any places. What no chunk holds is silent. */
export class MonoCollector {
  readonly #chunks: { at: number; samples: Float32Array }[] = [];

  /** Adds a chunk that starts at sample `at`. */
  add(chunk: readonly [Float32Array, Float32Array], at: number): void {
    if (chunk[0].length > 0) this.#chunks.push({ at, samples: toMono(chunk) });
  }

  /** The samples up to the end of the last chunk. The chunks are released. */
  samples(): Float32Array {
    const mono = new Float32Array(this.#chunks.reduce((end, { at, samples }) => Math.max(end, at + samples.length), 0));
    for (const { at, samples } of this.#chunks.splice(0)) mono.set(samples, at);
    return mono;
  }
}
