/** Chroma: pitch-class energy by beat, corrected for the tuning. */
import { beatSpans } from './per-beat.ts';
import { CHROMA_BINS, TONE_RATE } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Weights of the three bins (thirds of a semitone) of a pitch class. */
const THIRDS = [0.5, 1, 0.5] as const;

/** Tuning of the song relative to A = 440 Hz, in thirds of a semitone: -1, 0 or 1 (2 at half a semitone, which rounds up). */
const tuningThirds = ({ tuning }: ToneFeatures): number => Math.round((tuning.cents * CHROMA_BINS) / 1200);

/** Sum of rows [from, to) of a plane of 36 bins, folded to twelve pitch classes (C first). */
function foldRows(plane: Float32Array, from: number, to: number, tuning: number): number[] {
  const chroma = new Array<number>(12).fill(0);
  for (let row = from; row < to; row++) {
    for (let pitch = 0; pitch < 12; pitch++) {
      for (let third = -1; third <= 1; third++) {
        const bin = (pitch * 3 + third + tuning + CHROMA_BINS) % CHROMA_BINS;
        chroma[pitch]! += plane[row * CHROMA_BINS + bin]! * THIRDS[third + 1]!;
      }
    }
  }
  return chroma;
}

/** Twelve pitch classes (C first) of each beat, for treble and bass. */
export type BeatChroma = { treble: number[][]; bass: number[][] };

/** Treble and bass chroma of each beat, not normalised. `beats` in seconds. */
export function chromaByBeat(tone: ToneFeatures, beats: readonly number[]): BeatChroma {
  const tuning = tuningThirds(tone);
  const spans = beatSpans(beats, TONE_RATE, tone.frames);
  return {
    treble: spans.map(({ from, to }) => foldRows(tone.treble, from, to, tuning)),
    bass: spans.map(({ from, to }) => foldRows(tone.bass, from, to, tuning)),
  };
}

/** Scales a row to a maximum of 1; a row of zeros is returned unchanged. */
export function scaleToMax(row: readonly number[]): number[] {
  const max = Math.max(...row);
  return max > 0 ? row.map((value) => value / max) : [...row];
}
