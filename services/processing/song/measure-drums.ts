/** The drums of a song in its own time. Its beats are checked by their onsets, even in sections that do not play its drums. */
import type { Curve } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { MonoCollector } from '../files/mono-collector.ts';
import { readStem, type StemSource } from '../files/read-stem.ts';
import { type ScratchFile, storeBytes, type StoredBytes } from '../files/scratch.ts';
import { PieceCollector, type StemPiece } from '../files/stem-pieces.ts';
import { levelCurve } from '../measure/level-curve.ts';
import { measureOnsets, type OnsetEnvelopes } from '../measure/onsets.ts';

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
  const collected = new MonoCollector();
  await readStem(
    task,
    (chunk, at) => {
      if (chunk[0].length === 0) return;
      const collector = new PieceCollector([[at, at + chunk[0].length]]);
      collector.add(chunk, at);
      pieces.push(...collector.pieces);
      collected.add(chunk, at);
    },
    (bytes) => stored.push(storeBytes(task.scratch, bytes)),
  );
  const mono = collected.samples();
  const isLong = mono.length >= SAMPLE_RATE;
  const measurement = isLong
    ? { onsets: measureOnsets(mono, SAMPLE_RATE), level: levelCurve(mono, SAMPLE_RATE) }
    : null;
  return { measurement, pieces, stored };
}
