/** Harmonic novelty: compares the notes after a moment with those before it. */
import { cosine } from './per-beat.ts';
import { CHROMA_BINS, TONE_RATE } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Frames around a moment that are left out, because their windows cover both sides of it. */
const EXCLUDED_FRAMES = 1;
/** Smallest number of frames that are compared on each side. */
const MIN_FRAMES = 2;

function sumRows(plane: Float32Array, from: number, to: number): Float64Array {
  const sum = new Float64Array(CHROMA_BINS);
  const end = Math.min(plane.length, to * CHROMA_BINS);
  for (let i = Math.max(0, from) * CHROMA_BINS; i < end; i++) sum[i % CHROMA_BINS]! += plane[i]!;
  return sum;
}

/**
 * Difference of the notes within `reachSec` after each time (seconds) from those before it: 0 if they are equal, 2 if treble and
 * bass have nothing in common. Unlike a comparison of beats it can be measured at any time, also between beats.
 */
export function harmonicNovelty(tone: ToneFeatures, times: readonly number[], reachSec: number): number[] {
  const reach = Math.max(MIN_FRAMES, Math.round(reachSec * TONE_RATE));
  return times.map((time) => {
    const at = Math.round(time * TONE_RATE);
    const change = (plane: Float32Array): number => {
      const before = sumRows(plane, at - EXCLUDED_FRAMES - reach, at - EXCLUDED_FRAMES);
      const after = sumRows(plane, at + EXCLUDED_FRAMES, at + EXCLUDED_FRAMES + reach);
      const silent = before.every((value) => value === 0) && after.every((value) => value === 0);
      return silent ? 0 : 1 - cosine(before, after);
    };
    return change(tone.treble) + change(tone.bass);
  });
}
