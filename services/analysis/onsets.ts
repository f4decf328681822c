/** Strokes of drums: what comes and goes at once, while basses, chords and voices come and stay. */
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';

/** Where the level before and after a stroke is looked at, seconds from it. */
const BEFORE_SEC = [0.07, 0.035] as const;
const AFTER_SEC = [0.1, 0.15] as const;
/** A stroke louder than this part of the loudest ones (98 % are below) counts in full. */
const FULL_AT = 0.7;

export type Strokes = { kick: Float32Array; snare: Float32Array; hat: Float32Array };

function meanOf(values: Float32Array, from: number, to: number): number {
  let sum = 0;
  const [first, last] = [Math.max(0, from), Math.min(values.length - 1, to)];
  for (let i = first; i <= last; i++) sum += values[i]!;
  return sum / Math.max(1, last - first + 1);
}

/** How far each frame stands out of what is before and after it, 0..1 against the song's strong strokes. */
function bumps(level: Float32Array): Float32Array {
  const frames = (seconds: number): number => Math.round(seconds * RHYTHM_RATE);
  const out = level.map((value, i) => {
    const before = meanOf(level, i - frames(BEFORE_SEC[0]), i - frames(BEFORE_SEC[1]));
    const after = meanOf(level, i + frames(AFTER_SEC[0]), i + frames(AFTER_SEC[1]));
    return Math.max(0, value - Math.max(before, after));
  });
  const sorted = out.filter((value) => value > 0).sort();
  const full = FULL_AT * (sorted[Math.floor(0.98 * sorted.length)] ?? 0);
  return full > 0 ? out.map((value) => Math.min(1, value / full)) : out;
}

/** Kicks, snares and hats of a song by frame (at RHYTHM_RATE), each 0..1. */
export function findStrokes({ strokeLevel }: RhythmFeatures): Strokes {
  const [kick, snare, hat] = strokeLevel;
  return { kick: bumps(kick), snare: bumps(snare), hat: bumps(hat) };
}
