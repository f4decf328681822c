/** Joins the files of a stem that overlap: pieces of a song that were separated at different times. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';

type Chunk = [Float32Array, Float32Array];

/** Duration of the cross-fade from one piece to the next. */
const FADE = SAMPLE_RATE;

/**
 * Cross-fades the end of each piece with the beginning of the next one. Their samples differ a little, and a jump would be heard.
 * @param starts sample at which each file starts; undefined if it follows the one before
 */
export class OverlapJoiner {
  /** For each file, the start of the next piece. */
  readonly #limits: number[];
  /** The end of the piece before, from sample `#from` on. */
  #held: Chunk = [new Float32Array(0), new Float32Array(0)];
  /** Samples of `#held` that were received. */
  #filled = new Uint8Array(0);
  #from = 0;
  /** The file whose end is held. */
  #heldOf = Infinity;

  constructor(starts: readonly (number | undefined)[]) {
    this.#limits = starts.map(
      (_, file) => starts.find((start, other) => other > file && start !== undefined) ?? Infinity,
    );
  }

  /** Takes a chunk of a file that starts at sample `at`. Returns what plays of it, from `at` on: an empty chunk if nothing does. */
  join(file: number, chunk: Chunk, at: number): Chunk {
    const length = chunk[0].length;
    const faded = file > this.#heldOf ? this.#fadeIn(chunk, at) : chunk;
    const limit = this.#limits[file]!;
    if (at + length <= limit) return faded;
    this.#hold(faded, at, limit);
    this.#heldOf = file;
    const playing = Math.max(0, limit - at);
    return [faded[0].subarray(0, playing), faded[1].subarray(0, playing)];
  }

  #fadeIn(chunk: Chunk, at: number): Chunk {
    const from = Math.max(at, this.#from);
    const to = Math.min(at + chunk[0].length, this.#from + this.#filled.length);
    if (to <= from) return chunk;
    const faded: Chunk = [chunk[0].slice(), chunk[1].slice()];
    for (let i = from; i < to; i++) {
      const k = i - this.#from;
      if (this.#filled[k] === 0) continue;
      const share = (k + 0.5) / FADE;
      for (const c of [0, 1] as const) faded[c][i - at] = faded[c][i - at]! * share + this.#held[c][k]! * (1 - share);
    }
    return faded;
  }

  /** Keeps what a chunk has of the cross-fade from sample `limit` on. */
  #hold(chunk: Chunk, at: number, limit: number): void {
    if (this.#from !== limit || this.#filled.length === 0) {
      this.#held = [new Float32Array(FADE), new Float32Array(FADE)];
      this.#filled = new Uint8Array(FADE);
      this.#from = limit;
    }
    const from = Math.max(at, limit);
    const to = Math.min(at + chunk[0].length, limit + FADE);
    for (let i = from; i < to; i++) {
      for (const c of [0, 1] as const) this.#held[c][i - limit] = chunk[c][i - at]!;
      this.#filled[i - limit] = 1;
    }
  }
}
