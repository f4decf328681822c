/** Which pieces of a song are separated for the parts that a mashup plays. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import type { TimeRange } from '../../schema.ts';
import { CLASSICAL } from '../../services/separation/classical.ts';
import { neuralMethod } from '../../services/separation/neural/method.ts';
import { costOfPieces, piecesFor, separatePieces } from '../../services/separation/ranges.ts';

const SEGMENT = 343_980;
let segments = 0;
/** A model whose stems are the song times a gain. */
const method = neuralMethod(
  {
    samples: SEGMENT,
    separate: async ([left, right]) => {
      segments++;
      const part = (gain: number): StereoChunk => [
        left.map((value) => gain * value),
        right.map((value) => gain * value),
      ];
      return { vocals: part(0.5), drums: part(0.25), bass: part(0.125), other: part(0.125) };
    },
  },
  'small-model',
);

const ranges = (...pairs: [number, number][]): TimeRange[] =>
  pairs.map(([start_sec, end_sec]) => ({ start_sec, end_sec }));

/** What a mashup of 90 s plays of a song of three minutes. */
const PLAYED = ranges([0, 7.5], [31.47, 40.47], [48.02, 75.02], [79.47, 94.47], [99.01, 114.01], [147, 162]);

/** The left channel of a song: its value at each sample is its position. */
const songAt = (sample: number): number => (sample % 30_011) / 30_011 - 0.5;
async function* song(seconds: number): AsyncGenerator<StereoChunk> {
  const total = seconds * SAMPLE_RATE;
  for (let at = 0; at < total; at += 50_000) {
    const left = Float32Array.from({ length: Math.min(50_000, total - at) }, (_, i) => songAt(at + i));
    yield [left, left.map((value) => -value)];
  }
}

/** Separates pieces of the song. Returns the length of each, and the largest difference of its vocals from half of the song there. */
async function separateAll(
  pieces: readonly TimeRange[],
  seconds: number,
): Promise<{ length: number; error: number }[]> {
  const found = pieces.map(() => ({ length: 0, error: 0 }));
  for await (const { piece, stems } of separatePieces(undefined, song(seconds), pieces, method)) {
    const [left] = stems.vocals;
    const start = Math.round(pieces[piece]!.start_sec * SAMPLE_RATE) + found[piece]!.length;
    const error = left.reduce((max, value, i) => Math.max(max, Math.abs(value - 0.5 * songAt(start + i))), 0);
    found[piece] = { length: found[piece]!.length + left.length, error: Math.max(found[piece]!.error, error) };
  }
  return found;
}

describe('pieces of a song that is separated by a model', () => {
  it('hold the wanted ranges, ascending and apart', () => {
    const pieces = piecesFor(PLAYED, method);
    for (const { start_sec, end_sec } of PLAYED)
      assert.ok(pieces.some((piece) => piece.start_sec <= start_sec && piece.end_sec >= end_sec));
    pieces.slice(1).forEach((piece, i) => assert.ok(piece.start_sec > pieces[i]!.end_sec));
  });

  it('take no more segments than any other way of joining neighbours', () => {
    const parts = PLAYED.flatMap((range) => piecesFor([range], method));
    const least = costOfPieces(piecesFor(PLAYED, method), method);
    const costs = Array.from({ length: 2 ** (parts.length - 1) }, (_, joins) => {
      const pieces: TimeRange[] = [];
      for (const [i, part] of parts.entries()) {
        if (i > 0 && joins & (1 << (i - 1))) pieces.push({ start_sec: pieces.pop()!.start_sec, end_sec: part.end_sec });
        else pieces.push(part);
      }
      return costOfPieces(pieces, method);
    });
    assert.equal(least, Math.min(...costs));
    assert.ok(least < Math.max(...costs));
  });

  it('are one where the sound between them fits into the same segments', () => {
    assert.deepEqual(piecesFor(ranges([10, 11], [14, 15]), method), ranges([10, 15]));
  });

  it('are apart where the sound between them would need a segment more', () => {
    assert.deepEqual(piecesFor(ranges([10, 16], [23, 29]), method), ranges([10, 16], [23, 29]));
  });

  it('take as many segments as they were said to, and have the sound of their place in the song', async () => {
    const pieces = piecesFor(ranges([0, 7], [9, 10], [14, 22], [24.4, 25]), method);
    segments = 0;
    const found = await separateAll(pieces, 30);
    assert.equal(segments, costOfPieces(pieces, method));
    for (const [i, { start_sec, end_sec }] of pieces.entries()) {
      assert.equal(found[i]!.length, Math.round((end_sec - start_sec) * SAMPLE_RATE));
      assert.ok(found[i]!.error < 1e-5, `piece ${i}: ${found[i]!.error}`);
    }
  });

  it('end with the song', async () => {
    const [piece] = await separateAll(piecesFor(ranges([5, 20]), method), 12);
    assert.equal(piece!.length, 7 * SAMPLE_RATE);
  });
});

describe('pieces of a song that is separated classically', () => {
  it('are extended to two seconds, and joined across at most four', () => {
    assert.deepEqual(piecesFor(ranges([1.5, 6.5], [12.5, 14.2], [22.5, 24]), CLASSICAL), ranges([0, 16], [22, 24]));
  });
});
