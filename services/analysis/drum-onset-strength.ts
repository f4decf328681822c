/** Drum onsets: levels that rise and fall at once. Levels of basses, chords and voices rise and stay. */
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';

/** Where the level before and after an onset is measured, seconds from it. */
const BEFORE_SEC = [0.07, 0.035] as const;
const AFTER_SEC = [0.1, 0.15] as const;
/** Share of the 98th percentile of the onsets from which on an onset has strength 1. */
const FULL_SHARE = 0.7;

/** Onset strength of kick, snare and hats by frame at RHYTHM_RATE, each 0..1. */
export type DrumOnsetStrength = { kick: Float32Array; snare: Float32Array; hat: Float32Array };

function meanOf(values: Float32Array, from: number, to: number): number {
  let sum = 0;
  const [first, last] = [Math.max(0, from), Math.min(values.length - 1, to)];
  for (let i = first; i <= last; i++) sum += values[i]!;
  return sum / Math.max(1, last - first + 1);
}

/** Rise of each frame over the levels before and after it, 0..1 relative to the strong onsets of the song. */
function onsetStrengthOf(level: Float32Array): Float32Array {
  const frames = (seconds: number): number => Math.round(seconds * RHYTHM_RATE);
  const out = level.map((value, i) => {
    const before = meanOf(level, i - frames(BEFORE_SEC[0]), i - frames(BEFORE_SEC[1]));
    const after = meanOf(level, i + frames(AFTER_SEC[0]), i + frames(AFTER_SEC[1]));
    return Math.max(0, value - Math.max(before, after));
  });
  const sorted = out.filter((value) => value > 0).sort();
  const full = FULL_SHARE * (sorted[Math.floor(0.98 * sorted.length)] ?? 0);
  return full > 0 ? out.map((value) => Math.min(1, value / full)) : out;
}

/** Measures the onset strength of kick, snare and hats in a song. */
export function measureDrumOnsets({ drumLevel }: RhythmFeatures): DrumOnsetStrength {
  const [kick, snare, hat] = drumLevel;
  return { kick: onsetStrengthOf(kick), snare: onsetStrengthOf(snare), hat: onsetStrengthOf(hat) };
}
