/** The drums of a song in its own time. Its beats are checked by their onsets, even in sections that do not play its drums. */
import type { Curve } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { readStem, type StemSource } from '../files/read-stem.ts';
import { type ScratchFile, storeBytes, type StoredBytes } from '../files/scratch.ts';
import { PieceCollector, pieceEnd, readPieces, type StemPiece } from '../files/stem-pieces.ts';
import { levelCurve } from '../measure/level-curve.ts';
import { measureOnsets, type OnsetEnvelopes, toMono } from '../measure/onsets.ts';

/** Onsets of a drum stem and its level over time. Null if the stem is shorter than a second. */
export type DrumMeasurement = { onsets: OnsetEnvelopes; level: Curve } | null;

/** A drum stem that is to be measured. */
export type DrumTask = StemSource & { scratch: ScratchFile };

/** The measurement, and the whole stem as it was decoded for it. */
export type MeasuredDrums = { measurement: DrumMeasurement; pieces: StemPiece[]; stored: StoredBytes[] };

/**
 * Measures a drum stem.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function measureDrums(task: DrumTask): Promise<MeasuredDrums> {
  const pieces: StemPiece[] = [];
  const stored: StoredBytes[] = [];
  await readStem(
    task,
    (chunk, at) => {
      if (chunk[0].length === 0) return;
      const collector = new PieceCollector([[at, at + chunk[0].length]]);
      collector.add(chunk, at);
      pieces.push(...collector.pieces);
    },
    (bytes) => stored.push(storeBytes(task.scratch, bytes)),
  );
  const mono = new Float32Array(pieces.reduce((end, piece) => Math.max(end, pieceEnd(piece)), 0));
  for (const piece of pieces) mono.set(toMono(readPieces([piece], piece.from, pieceEnd(piece))), piece.from);
  const isLong = mono.length >= SAMPLE_RATE;
  const measurement = isLong
    ? { onsets: measureOnsets(mono, SAMPLE_RATE), level: levelCurve(mono, SAMPLE_RATE) }
    : null;
  return { measurement, pieces, stored };
}
