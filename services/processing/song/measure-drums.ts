/** The drums of a song in its own time. Its beats are checked by their onsets, even in sections that do not play its drums. */
import type { Curve } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { readStem, type StemSource } from '../files/read-stem.ts';
import { type ScratchFile, storeBytes, type StoredBytes } from '../files/scratch.ts';
import { PieceCollector, type StemPiece } from '../files/stem-pieces.ts';
import { LevelMeter } from '../measure/level-curve.ts';
import { type OnsetEnvelopes, OnsetMeter, toMono } from '../measure/onsets.ts';

/** Onsets of a drum stem and its level over time. Null if the stem is shorter than a second. */
export type DrumMeasurement = { onsets: OnsetEnvelopes; level: Curve } | null;

/** A drum stem that is to be measured. */
export type DrumTask = StemSource & { scratch: ScratchFile };

/** The measurement, and the whole stem as it was decoded for it. */
export type MeasuredDrums = { measurement: DrumMeasurement; pieces: StemPiece[]; stored: StoredBytes[] };

/** Silence of a second, for what lies between the pieces of a stem. */
const SILENCE = new Float32Array(SAMPLE_RATE);

/**
 * Measures a drum stem while it is decoded.
 * @throws RenderError stem_unavailable, stem_unusable
 */
export async function measureDrums(task: DrumTask): Promise<MeasuredDrums> {
  const pieces: StemPiece[] = [];
  const stored: StoredBytes[] = [];
  const onsets = new OnsetMeter(SAMPLE_RATE);
  const level = new LevelMeter(SAMPLE_RATE);
  let end = 0;
  const add = (mono: Float32Array): void => {
    onsets.add(mono);
    level.add(mono);
    end += mono.length;
  };
  await readStem(
    task,
    (chunk, at) => {
      if (chunk[0].length === 0) return;
      const collector = new PieceCollector([[at, at + chunk[0].length]]);
      collector.add(chunk, at);
      pieces.push(...collector.pieces);
      while (end < at) add(SILENCE.subarray(0, at - end));
      add(toMono(chunk, end - at));
    },
    (bytes) => stored.push(storeBytes(task.scratch, bytes)),
  );
  const measurement = end >= SAMPLE_RATE ? { onsets: onsets.onsets(), level: level.curve() } : null;
  return { measurement, pieces, stored };
}
