/** REPET-SIM (Rafii and Pardo 2012): the part of a spectrum that is repeated elsewhere in the song is accompaniment. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { COLUMNS, columnOf, HOP } from './columns.ts';
import type { SeparationKernel } from './separation-kernel.ts';

/** Number of bands that frames are compared by. */
export const BANDS = 48;
/**
 * Minimum distance of the similar frames in the background model. The kernel takes eight besides the frame itself. More frames are less
 * similar: 20 cost the voice 0.7 dB.
 */
const MIN_DISTANCE_SEC = 0.8;

const BAND_EDGES = Array.from({ length: BANDS + 1 }, (_, i) => columnOf(60 * (10_000 / 60) ** (i / BANDS)));

/** Logarithmic bands of each frame from 60 Hz to 10 kHz, scaled to unit length. */
function describeFrames(plane: Float32Array, frames: number): Float32Array {
  const bands = new Float32Array(frames * BANDS);
  for (let frame = 0; frame < frames; frame++) {
    let norm = 1e-12;
    for (let band = 0; band < BANDS; band++) {
      const from = BAND_EDGES[band]!;
      const to = Math.max(from + 1, BAND_EDGES[band + 1]!);
      let sum = 0;
      for (let column = from; column < to; column++) sum += plane[frame * COLUMNS + column]!;
      const value = Math.sqrt(sum / (to - from));
      bands[frame * BANDS + band] = value;
      norm += value * value;
    }
    const scale = 1 / Math.sqrt(norm);
    for (let band = 0; band < BANDS; band++) bands[frame * BANDS + band]! *= scale;
  }
  return bands;
}

/**
 * Writes the repeating background of a magnitude plane (`frames` rows of `COLUMNS` values) to `background`: the median of each value over
 * similar frames, at most the value itself. Both planes are in the kernel's memory.
 */
export function fillBackground(
  kernel: SeparationKernel,
  plane: Float32Array,
  background: Float32Array,
  frames: number,
): void {
  kernel.background(plane, background, {
    bands: describeFrames(plane, frames),
    frames,
    columns: COLUMNS,
    gap: Math.round((MIN_DISTANCE_SEC * SAMPLE_RATE) / HOP),
  });
}
