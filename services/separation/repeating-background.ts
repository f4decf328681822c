/** REPET-SIM (Rafii and Pardo 2012): the part of a spectrum that is repeated elsewhere in the song is accompaniment. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { COLUMNS, columnOf, HOP } from './columns.ts';

/** Number of bands that frames are compared by. */
const BANDS = 48;
/** Number of similar frames in the background model, and their minimum distance. More frames are less similar: 20 cost the voice 0.7 dB. */
const NEIGHBOURS = 8;
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

/** Indices of the frames most similar to `frame`, more than `gap` frames apart from each other. `frame` itself is the first. */
function similarFrames(
  bands: Float32Array,
  frames: number,
  frame: number,
  gap: number,
  scores: Float32Array,
): number[] {
  for (let other = 0; other < frames; other++) {
    let sum = 0;
    for (let band = 0; band < BANDS; band++) sum += bands[frame * BANDS + band]! * bands[other * BANDS + band]!;
    scores[other] = sum;
  }
  const chosen = [frame];
  const block = (at: number): void => {
    scores.fill(-1, Math.max(0, at - gap), Math.min(frames, at + gap + 1));
  };
  block(frame);
  while (chosen.length <= NEIGHBOURS) {
    let best = -1;
    let score = 0;
    for (let other = 0; other < frames; other++) {
      if (scores[other]! > score) {
        score = scores[other]!;
        best = other;
      }
    }
    if (best < 0) break;
    chosen.push(best);
    block(best);
  }
  return chosen;
}

/**
 * Writes the repeating background of a magnitude plane (`frames` rows of `COLUMNS` values) to `background`: the median of each value over
 * similar frames, at most the value itself.
 */
export function fillBackground(plane: Float32Array, background: Float32Array, frames: number): void {
  const bands = describeFrames(plane, frames);
  const gap = Math.round((MIN_DISTANCE_SEC * SAMPLE_RATE) / HOP);
  const scores = new Float32Array(frames);
  const values = new Float32Array(NEIGHBOURS + 1);
  for (let frame = 0; frame < frames; frame++) {
    const rows = similarFrames(bands, frames, frame, gap, scores).map((index) => index * COLUMNS);
    const count = rows.length;
    const middle = (count - 1) >> 1;
    for (let column = 0; column < COLUMNS; column++) {
      // Insertion sort: the fastest method for about ten values.
      for (let i = 0; i < count; i++) {
        const value = plane[rows[i]! + column]!;
        let j = i;
        while (j > 0 && values[j - 1]! > value) {
          values[j] = values[j - 1]!;
          j--;
        }
        values[j] = value;
      }
      background[frame * COLUMNS + column] = Math.min(values[middle]!, plane[frame * COLUMNS + column]!);
    }
  }
}
