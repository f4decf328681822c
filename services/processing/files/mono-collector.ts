/** Collects the chunks of a stem as one channel. */

/** One channel, the mean of both, of chunks at any places. What no chunk holds is silent. */
export class MonoCollector {
  readonly #chunks: { at: number; samples: Float32Array }[] = [];

  /** Adds a chunk that starts at sample `at`. */
  add(chunk: readonly [Float32Array, Float32Array], at: number): void {
    const [left, right] = chunk;
    const samples = new Float32Array(left.length);
    for (let i = 0; i < left.length; i++) samples[i] = (left[i]! + right[i]!) / 2;
    if (samples.length > 0) this.#chunks.push({ at, samples });
  }

  /** The samples up to the end of the last chunk. The chunks are released. */
  samples(): Float32Array {
    const mono = new Float32Array(this.#chunks.reduce((end, { at, samples }) => Math.max(end, at + samples.length), 0));
    for (const { at, samples } of this.#chunks.splice(0)) mono.set(samples, at);
    return mono;
  }
}
