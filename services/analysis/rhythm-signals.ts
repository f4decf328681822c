/** The signals that rhythm is estimated from, for a song or a span of it. */
import { measureDrumOnsets } from './drum-onset-strength.ts';
import type { DrumOnsetStrength } from './drum-onset-strength.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { onsetStrength } from './tempo.ts';
import { CHROMA_BINS, TIMBRE_BANDS, TONE_RATE, VOICE_BANDS } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Weight of kicks and snares relative to the onset strength in beat tracking. */
const DRUM_WEIGHT = 1.5;

export type RhythmSignals = {
  /** Onset strength of all bands, of the mid band, and strength for beat tracking, at RHYTHM_RATE. */
  strength: Float32Array;
  mid: Float32Array;
  beatStrength: Float32Array;
  drums: DrumOnsetStrength;
  tone: ToneFeatures;
  durationSec: number;
};

/** Computes the signals of a song. */
export function rhythmSignals(features: RhythmFeatures, tone: ToneFeatures, durationSec: number): RhythmSignals {
  const strength = onsetStrength(features.flux);
  const drums = measureDrumOnsets(features);
  const beatStrength = strength.map((value, i) => value + DRUM_WEIGHT * (drums.kick[i]! + drums.snare[i]!));
  return { strength, mid: onsetStrength(features.bandFlux[1]), beatStrength, drums, tone, durationSec };
}

/** A span of a song's signals. Its times count from `startSec`. */
export type SignalSpan = { startSec: number; signals: RhythmSignals };

/** Returns the signals from `fromSec` to `toSec`, without copying. The start is moved to the frame of the tone features before it. */
export function sliceSignals(whole: RhythmSignals, fromSec: number, toSec: number): SignalSpan {
  const { tone, drums } = whole;
  const firstTone = Math.max(0, Math.floor(fromSec * TONE_RATE));
  const startSec = firstTone / TONE_RATE;
  const lastTone = Math.min(tone.frames, Math.max(firstTone + 1, Math.ceil(toSec * TONE_RATE)));
  const [from, to] = [Math.round(startSec * RHYTHM_RATE), Math.round(toSec * RHYTHM_RATE)];
  const rows = (plane: Float32Array, width: number): Float32Array =>
    plane.subarray(firstTone * width, lastTone * width);
  return {
    startSec,
    signals: {
      strength: whole.strength.subarray(from, to),
      mid: whole.mid.subarray(from, to),
      beatStrength: whole.beatStrength.subarray(from, to),
      drums: {
        kick: drums.kick.subarray(from, to),
        snare: drums.snare.subarray(from, to),
        hat: drums.hat.subarray(from, to),
      },
      tone: {
        ...tone,
        frames: lastTone - firstTone,
        treble: rows(tone.treble, CHROMA_BINS),
        bass: rows(tone.bass, CHROMA_BINS),
        centre: rows(tone.centre, VOICE_BANDS),
        timbre: rows(tone.timbre, TIMBRE_BANDS),
        voicePower: rows(tone.voicePower, 1),
        tonality: rows(tone.tonality, 1),
      },
      durationSec: Math.min(whole.durationSec, toSec) - startSec,
    },
  };
}
