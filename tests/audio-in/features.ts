/** Synthetic features of drum onsets and chords at known times: input of the rhythm estimation without sound. */
import { RHYTHM_RATE } from '../../services/analysis/rhythm-features.ts';
import type { RhythmFeatures } from '../../services/analysis/rhythm-features.ts';
import { CHROMA_BINS, TONE_RATE, VOICE_BANDS } from '../../services/analysis/tone-features.ts';
import type { ToneFeatures } from '../../services/analysis/tone-features.ts';

/** Length of a drum hit, frames. */
const HIT_FRAMES = 3;

/** A song to make features of. */
export type Score = {
  seconds: number;
  /** Times of drum hits, seconds. */
  kicks: readonly number[];
  snares?: readonly number[];
  hats?: readonly number[];
  /** Pitch class (0 is C) of the root from a time (seconds) on. Chords are major triads. */
  chords: readonly { at: number; root: number }[];
  /** The same for the bass. Default: the roots of the chords. */
  bass?: readonly { at: number; root: number }[];
};

function drumLevel(frames: number, times: readonly number[] = []): Float32Array {
  const level = new Float32Array(frames);
  for (const time of times) {
    const at = Math.round(time * RHYTHM_RATE);
    for (let i = 0; i < HIT_FRAMES; i++) if (at + i < frames) level[at + i] = 1 - i / HIT_FRAMES;
  }
  return level;
}

function notes(frames: number, steps: Score['chords'], intervals: readonly number[]): Float32Array {
  const plane = new Float32Array(frames * CHROMA_BINS);
  for (let frame = 0; frame < frames; frame++) {
    const sounding = steps.findLast(({ at }) => at * TONE_RATE <= frame + 0.5);
    if (!sounding) continue;
    for (const interval of intervals) plane[frame * CHROMA_BINS + ((sounding.root + interval) % 12) * 3] = 1;
  }
  return plane;
}

/** The input of `estimateRhythm` for a song. */
export function featuresOf({ seconds, kicks, snares, hats, chords, bass = chords }: Score): {
  rhythm: RhythmFeatures;
  tone: ToneFeatures;
} {
  const frames = Math.round(seconds * RHYTHM_RATE);
  const [kick, snare, hat] = [drumLevel(frames, kicks), drumLevel(frames, snares), drumLevel(frames, hats)];
  const flux = kick.map((value, i) => value + snare[i]! + 0.5 * hat[i]!);
  const toneFrames = Math.round(seconds * TONE_RATE);
  return {
    rhythm: {
      flux,
      bandFlux: [kick, snare, hat],
      bandPower: [kick, snare, hat],
      drumLevel: [kick, snare, hat],
      power: flux,
      mfccMeans: [],
      brightness: 0,
    },
    tone: {
      frames: toneFrames,
      treble: notes(toneFrames, chords, [0, 4, 7]),
      bass: notes(toneFrames, bass, [0]),
      centre: new Float32Array(toneFrames * VOICE_BANDS),
      timbre: new Float32Array(0),
      voicePower: new Float32Array(toneFrames),
      tonality: new Float32Array(toneFrames),
      tuning: { cents: 0, confidence: 1 },
    },
  };
}

/** Times from `first` on, `step` seconds apart, below `end`. */
export function every(step: number, end: number, first = 0): number[] {
  return Array.from({ length: Math.ceil((end - first) / step) }, (_, i) => first + i * step);
}
