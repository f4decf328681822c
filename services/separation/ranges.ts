/**
 * Separation of parts of a song. Parts are cut on a grid, so that those of later requests fit to them. Each is separated together with some
 * sound before and after it, on which its masks depend.
 */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { STEMS } from '../../schema.ts';
import type { Stem, StemLayout, TimeRange } from '../../schema.ts';
import type { StemChunk } from './block-separator.ts';
import { CLASSICAL } from './classical.ts';
import type { SeparationMethod } from './method.ts';
import { separateAs } from './stem-layouts.ts';

/** Pieces start and end at multiples of this. Shorter steps give more pieces, longer ones separate more than is needed. */
const GRID_SEC = 2;

/** Stems of consecutive samples of a piece. */
export type PieceChunk = { piece: number; stems: StemChunk };

/**
 * Returns the pieces that are separated for the wanted ranges: extended to the grid, and joined where the sound between them would be
 * separated anyway. Ascending, without overlaps.
 */
export function piecesFor(ranges: readonly TimeRange[], method: SeparationMethod = CLASSICAL): TimeRange[] {
  const contextSec = method.contextOf(0) / SAMPLE_RATE;
  const joined: TimeRange[] = [];
  for (const { start_sec, end_sec } of ranges.toSorted((a, b) => a.start_sec - b.start_sec)) {
    const start = Math.floor(start_sec / GRID_SEC) * GRID_SEC;
    const end = Math.ceil(end_sec / GRID_SEC) * GRID_SEC;
    const last = joined.at(-1);
    if (last && start - last.end_sec <= 2 * contextSec) last.end_sec = Math.max(last.end_sec, end);
    else joined.push({ start_sec: start, end_sec: end });
  }
  return joined;
}

/**
 * Separates pieces of a song. The stems of a piece are as long as it, or end with the song, and sum to the song. The song is read to its end,
 * because faults of its channels are certain only there.
 * @param pieces from `piecesFor`
 */
export async function* separatePieces(
  layout: StemLayout | undefined,
  chunks: AsyncIterable<StereoChunk>,
  pieces: readonly TimeRange[],
  method: SeparationMethod = CLASSICAL,
): AsyncGenerator<PieceChunk> {
  const source = new ChunkReader(chunks);
  for (const [piece, { start_sec, end_sec }] of pieces.entries()) {
    const start = Math.round(start_sec * SAMPLE_RATE);
    const end = Math.round(end_sec * SAMPLE_RATE);
    const context = method.contextOf(end - start);
    let at = Math.max(0, start - context);
    const samples = end + context - at;
    for await (const stems of separateAs(layout, source.read(at, end + context), { method, samples })) {
      const length = stems.vocals[0].length;
      const [from, to] = [Math.max(0, start - at), Math.min(length, end - at)];
      if (to > from) yield { piece, stems: cut(stems, from, to) };
      at += length;
    }
  }
  await source.skip(Infinity);
}

function cut(stems: StemChunk, from: number, to: number): StemChunk {
  const part = (stem: Stem): StereoChunk => [stems[stem][0].subarray(from, to), stems[stem][1].subarray(from, to)];
  return Object.fromEntries(STEMS.map((stem) => [stem, part(stem)])) as StemChunk;
}

/** Reads ascending parts of a stream of chunks. */
class ChunkReader {
  readonly #chunks: AsyncIterator<StereoChunk>;
  /** What was received and not read. It starts at sample `#at` of the stream. */
  #rest: StereoChunk = [new Float32Array(0), new Float32Array(0)];
  #at = 0;

  constructor(chunks: AsyncIterable<StereoChunk>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads samples `from..to`, or up to the end of the stream. What is before them is dropped. */
  async *read(from: number, to: number): AsyncGenerator<StereoChunk> {
    await this.skip(from);
    while (this.#at < to && (await this.#fill())) yield this.#take(to);
  }

  /** Drops what is before sample `to`. */
  async skip(to: number): Promise<void> {
    while (this.#at < to && (await this.#fill())) this.#take(to);
  }

  /** Receives a chunk if nothing is left to read. Returns false at the end of the stream. */
  async #fill(): Promise<boolean> {
    while (this.#rest[0].length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#rest = next.value;
    }
    return true;
  }

  /** Takes what was received of the samples before `to`. */
  #take(to: number): StereoChunk {
    const [left, right] = this.#rest;
    const count = Math.min(left.length, to - this.#at);
    this.#rest = [left.subarray(count), right.subarray(count)];
    this.#at += count;
    return [left.subarray(0, count), right.subarray(0, count)];
  }
}
