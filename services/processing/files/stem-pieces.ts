/**
 * Decoded pieces of a stem in memory that all threads share. Samples that are multiples of 1/32768, as those of 16-bit files, take two
 * bytes each, others four.
 */
import type { StemRange } from './read-stem.ts';

type SharedSamples = Int16Array<SharedArrayBuffer> | Float32Array<SharedArrayBuffer>;

/** Samples of a stem from `from` on. */
export type StemPiece = { from: number; channels: [SharedSamples, SharedSamples] };

/** Full scale of 16-bit samples. */
const FULL_SCALE = 32_768;

const allocate = (length: number): Int16Array<SharedArrayBuffer> => new Int16Array(new SharedArrayBuffer(2 * length));

/** The sample behind the last one of a piece. */
export const pieceEnd = ({ from, channels }: StemPiece): number => from + channels[0].length;

/** Writes samples to `target` from index `at` on. Returns false if 16 bits do not hold them; then some are not written. */
function writeShort(target: Int16Array, at: number, samples: Float32Array): boolean {
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]! * FULL_SCALE;
    const short = (value << 16) >> 16;
    if (short !== value) return false;
    target[at + i] = short;
  }
  return true;
}

/** Writes samples `from..to` of `source`, multiplied by `gain`, to `target` from index `at` on. */
function readShort(
  source: Int16Array,
  [from, to]: StemRange,
  target: Float32Array,
  { at, gain }: { at: number; gain: number },
): void {
  // Powers of two: the scale is exact, and so is its product with a sample.
  for (let i = from; i < to; i++) target[at + i - from] = (source[i]! / FULL_SCALE) * gain;
}

function widen(samples: SharedSamples): Float32Array<SharedArrayBuffer> {
  if (samples instanceof Float32Array) return samples;
  const wide = new Float32Array(new SharedArrayBuffer(4 * samples.length));
  readShort(samples, [0, samples.length], wide, { at: 0, gain: 1 });
  return wide;
}

/** Collects decoded samples in pieces. What a stem does not have is silent. */
export class PieceCollector {
  readonly pieces: StemPiece[];

  /** @param ranges the pieces to collect */
  constructor(ranges: readonly StemRange[]) {
    this.pieces = ranges.map(([from, to]) => ({ from, channels: [allocate(to - from), allocate(to - from)] }));
  }

  /** Copies the samples of a chunk that pieces want. `at` is its first sample. */
  add(chunk: readonly [Float32Array, Float32Array], at: number): void {
    for (const piece of this.pieces) {
      const from = Math.max(at, piece.from);
      const to = Math.min(at + chunk[0].length, pieceEnd(piece));
      if (to <= from) continue;
      for (const c of [0, 1] as const) this.#write(piece, c, chunk[c].subarray(from - at, to - at), from - piece.from);
    }
  }

  #write(piece: StemPiece, c: 0 | 1, samples: Float32Array, at: number): void {
    const target = piece.channels[c];
    if (target instanceof Int16Array && writeShort(target, at, samples)) return;
    const wide = widen(target);
    wide.set(samples, at);
    piece.channels[c] = wide;
  }
}

/** Reads samples `from..to` from pieces that hold them, multiplied by `gain`; what no piece holds is silent. */
export function readPieces(
  pieces: readonly StemPiece[],
  from: number,
  to: number,
  gain = 1,
): [Float32Array, Float32Array] {
  const result: [Float32Array, Float32Array] = [new Float32Array(to - from), new Float32Array(to - from)];
  for (const piece of pieces) {
    const first = Math.max(from, piece.from);
    const last = Math.min(to, pieceEnd(piece));
    if (last <= first) continue;
    const range: StemRange = [first - piece.from, last - piece.from];
    for (const c of [0, 1] as const) {
      const source = piece.channels[c];
      const target = result[c];
      if (source instanceof Int16Array) readShort(source, range, target, { at: first - from, gain });
      else for (let i = range[0]; i < range[1]; i++) target[first - from + i - range[0]] = source[i]! * gain;
    }
  }
  return result;
}

/** Ranges in order, joined where they overlap or touch. */
export function joinRanges(ranges: readonly StemRange[]): StemRange[] {
  const joined: StemRange[] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** What `ranges` want and no piece holds. */
export function missingRanges(ranges: readonly StemRange[], pieces: readonly StemPiece[]): StemRange[] {
  let missing = joinRanges(ranges);
  for (const piece of pieces) {
    const [from, to] = [piece.from, pieceEnd(piece)];
    missing = missing.flatMap(([a, b]): StemRange[] => {
      const before: StemRange[] = a < from ? [[a, Math.min(b, from)]] : [];
      const after: StemRange[] = b > to ? [[Math.max(a, to), b]] : [];
      return to <= a || from >= b ? [[a, b]] : [...before, ...after];
    });
  }
  return missing;
}
