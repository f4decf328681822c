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

/** Stems of consecutive samples of a piece. */
export type PieceChunk = { piece: number; stems: StemChunk };

/**
 * Returns the pieces that are separated for the wanted ranges, at the least cost: extended to the grid of the method, and joined where the
 * sound between them costs no more than another piece. Ascending, without overlaps.
 */
export function piecesFor(ranges: readonly TimeRange[], method: SeparationMethod = CLASSICAL): TimeRange[] {
  const parts = onGrid(ranges, method);
  /** The least cost of the first parts, by their number, and where the last piece of it starts. */
  const least: { cost: number; from: number }[] = [{ cost: 0, from: 0 }];
  for (let count = 1; count <= parts.length; count++) {
    let best = { cost: Infinity, from: 0 };
    for (let from = count - 1; from >= 0; from--) {
      const cost = least[from]!.cost + costOf(spanOf(parts, from, count), method);
      // Of equal costs that with the fewest pieces.
      if (cost <= best.cost) best = { cost, from };
    }
    least.push(best);
  }
  const pieces: TimeRange[] = [];
  for (let count = parts.length; count > 0; count = least[count]!.from)
    pieces.unshift(spanOf(parts, least[count]!.from, count));
  return pieces;
}

/** Extends ranges to the grid, and joins those whose contexts would meet. */
function onGrid(ranges: readonly TimeRange[], { gridSec, context }: SeparationMethod): TimeRange[] {
  const joined: TimeRange[] = [];
  for (const { start_sec, end_sec } of ranges.toSorted((a, b) => a.start_sec - b.start_sec)) {
    const start = Math.floor(start_sec / gridSec) * gridSec;
    const end = Math.ceil(end_sec / gridSec) * gridSec;
    const last = joined.at(-1);
    if (last && (start - last.end_sec) * SAMPLE_RATE <= 2 * context) last.end_sec = Math.max(last.end_sec, end);
    else joined.push({ start_sec: start, end_sec: end });
  }
  return joined;
}

/** The piece that holds the parts from..to. */
const spanOf = (parts: readonly TimeRange[], from: number, to: number): TimeRange => ({
  start_sec: parts[from]!.start_sec,
  end_sec: parts[to - 1]!.end_sec,
});

/** The samples of a piece, and how many are separated with it at least. */
function samplesOf(
  { start_sec, end_sec }: TimeRange,
  { context }: SeparationMethod,
): { start: number; end: number; least: number } {
  const start = Math.round(start_sec * SAMPLE_RATE);
  const end = Math.round(end_sec * SAMPLE_RATE);
  return { start, end, least: Math.min(start, context) + end - start + context };
}

/** A piece, and what is separated with it, in samples: the context, and as much more as costs nothing. */
type Extent = { start: number; end: number; from: number; to: number };

/** Returns the extents of pieces. They do not overlap, since the song is read once. */
function extentsOf(pieces: readonly TimeRange[], method: SeparationMethod): Extent[] {
  const extents: Extent[] = [];
  for (const [i, piece] of pieces.entries()) {
    const { start, end, least } = samplesOf(piece, method);
    const length = method.lengthFor(least);
    const earliest = extents.at(-1)?.to ?? 0;
    const next = pieces[i + 1];
    const latest = next ? Math.round(next.start_sec * SAMPLE_RATE) - method.context : Infinity;
    const middle = Math.max(earliest, start - Math.min(start, method.context) - Math.floor((length - least) / 2));
    const to = Math.min(middle + length, latest);
    extents.push({ start, end, from: Math.max(earliest, to - length), to });
  }
  return extents;
}

const costOf = (piece: TimeRange, method: SeparationMethod): number => method.costOf(samplesOf(piece, method).least);

/** What pieces cost, in the unit of the method. */
export const costOfPieces = (pieces: readonly TimeRange[], method: SeparationMethod): number =>
  pieces.reduce((sum, piece) => sum + costOf(piece, method), 0);

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
  for (const [piece, { start, end, from, to }] of extentsOf(pieces, method).entries()) {
    let at = from;
    for await (const stems of separateAs(layout, source.read(from, to), { method, samples: to - from })) {
      const length = stems.vocals[0].length;
      const [first, last] = [Math.max(0, start - at), Math.min(length, end - at)];
      if (last > first) yield { piece, stems: cut(stems, first, last) };
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
