/** Where harmony turns: what sounds after a moment against what sounded before it. */
import { cosine } from './per-beat.ts';
import { CHROMA_BINS, TONE_RATE } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Frames around a moment that hold both what is before and after it. */
const BLURRED_FRAMES = 1;
const LEAST_FRAMES = 2;

function sumRows(plane: Float32Array, from: number, to: number): Float64Array {
  const sum = new Float64Array(CHROMA_BINS);
  const end = Math.min(plane.length, to * CHROMA_BINS);
  for (let i = Math.max(0, from) * CHROMA_BINS; i < end; i++) sum[i % CHROMA_BINS]! += plane[i]!;
  return sum;
}

/**
 * How much the notes within `reachSec` after each time differ from those before it: 0 where they are the same, 2 where neither chord
 * nor bass stays. Unlike a comparison of beats it can be asked anywhere, so also between them.
 */
export function harmonicNovelty(tone: ToneFeatures, times: readonly number[], reachSec: number): number[] {
  const reach = Math.max(LEAST_FRAMES, Math.round(reachSec * TONE_RATE));
  return times.map((time) => {
    const at = Math.round(time * TONE_RATE);
    const change = (plane: Float32Array): number => {
      const before = sumRows(plane, at - BLURRED_FRAMES - reach, at - BLURRED_FRAMES);
      const after = sumRows(plane, at + BLURRED_FRAMES, at + BLURRED_FRAMES + reach);
      const silent = before.every((value) => value === 0) && after.every((value) => value === 0);
      return silent ? 0 : 1 - cosine(before, after);
    };
    return change(tone.treble) + change(tone.bass);
  });
}
