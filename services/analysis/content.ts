/** What a file contains: voices alone, no voice, or both. */
import type { SongContent } from '../../schema.ts';
import { POWER_SCALE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { mean, median, quantile } from './statistics.ts';
import { VOICE_BANDS } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Number of harmonics of a pitch, and the bands of an octave. */
const HARMONICS = 14;
const OCTAVE_BANDS = 24;
/** Bands that are compared: four octaves from 150 Hz on. Above them harmonics are closer than bands. */
const TOP_BAND = 4 * OCTAVE_BANDS;
/** Pitches that are tried: from an octave below the lowest band on, in bands. */
const LOWEST_PITCH = -OCTAVE_BANDS;
const HIGHEST_PITCH = 60;
/** Frames between two measurements. */
const STRIDE = 4;
/** Frames with less than this share of the mean power are left out. */
const MIN_POWER = 0.05;
/** Frames this far below the loud ones are pauses: -40 dB. */
const PAUSE_POWER = 1e-4;
const LOUD_SHARE = 0.9;
/** Evidence from which on a file contains voices alone, whatever it is called. */
const CLEAR_EVIDENCE = 0.7;
/** Evidence at most of a sound without pauses: a piano or a pad can be like a voice in all else. */
const WITHOUT_PAUSES = 0.3;
/** Mean presence below which there is no voice. Lead instruments have up to 0.9. */
const NO_VOICE_BELOW = 0.15;

/** Bands of the harmonics of each pitch, one on each side included. */
const COMBS: readonly Uint8Array[] = Array.from({ length: HIGHEST_PITCH - LOWEST_PITCH }, (_, i) => {
  const bands = new Set<number>();
  for (let harmonic = 1; harmonic <= HARMONICS; harmonic++) {
    const centre = Math.round(LOWEST_PITCH + i + OCTAVE_BANDS * Math.log2(harmonic));
    for (const band of [centre - 1, centre, centre + 1]) if (band >= 0 && band < TOP_BAND) bands.add(band);
  }
  return Uint8Array.from(bands);
});

/** Position of a value between two limits, 0..1. `from` may be the higher one. */
const ramp = (value: number, from: number, to: number): number =>
  Math.max(0, Math.min(1, (value - from) / (to - from)));

/**
 * Median share of the power of the voice range that one pitch and its harmonics explain, 0..1, less what they would explain of noise. A
 * voice has 0.95, a song with chords and drums 0.3 to 0.8.
 */
function onePitchShare({ centre, frames, voicePower }: ToneFeatures): number {
  const floor = MIN_POWER * mean(voicePower);
  const power = new Float32Array(TOP_BAND);
  const shares: number[] = [];
  for (let frame = 0; frame < frames; frame += STRIDE) {
    if (voicePower[frame]! <= floor) continue;
    let all = 1e-12;
    for (let band = 0; band < TOP_BAND; band++) {
      power[band] = centre[frame * VOICE_BANDS + band]! ** 2;
      all += power[band]!;
    }
    let best = 0;
    for (const comb of COMBS) {
      let sum = 0;
      for (const band of comb) sum += power[band]!;
      const expected = comb.length / TOP_BAND;
      best = Math.max(best, (sum / all - expected) / (1 - expected));
    }
    shares.push(best);
  }
  return median(shares);
}

/** Share of frames in which nothing sounds, 0..1. */
function pauseShare(power: Float32Array): number {
  const limit = PAUSE_POWER * quantile(power, LOUD_SHARE);
  return power.filter((value) => value < limit).length / Math.max(1, power.length);
}

/** Power of the range of kicks, 30 to 120 Hz, relative to all. A low voice has a little of it. */
function kickShare({ drumLevel, bandPower }: RhythmFeatures): number {
  const kick = drumLevel[0].reduce((sum, level) => sum + level * level, 0) * POWER_SCALE;
  const all = bandPower.reduce((sum, band) => sum + band.reduce((total, power) => total + power, 0), 0);
  return kick / (all + 1e-12);
}

/** What the file contains, and the evidence (0..1) that it contains voices alone. */
export type MeasuredContent = { content: SongContent; voicesAlone: number };

/**
 * Measures what a file contains. Voices alone have one pitch at a time, no drums and no bass, and pauses.
 * @param presence vocal presence of the song, steps of equal length, 0..1
 */
export function measureContent(
  rhythm: RhythmFeatures,
  tone: ToneFeatures,
  presence: readonly number[],
): MeasuredContent {
  const pauses = pauseShare(rhythm.power);
  const whileSounding = mean(presence) / Math.max(0.1, 1 - pauses);
  const other = Math.min(
    ramp(kickShare(rhythm), 0.12, 0.05),
    ramp(whileSounding, 0.4, 0.7),
    Math.max(WITHOUT_PAUSES, ramp(pauses, 0.05, 0.15)),
  );
  // The pitches of most songs need not be measured: their drums and basses decide.
  const voicesAlone = other === 0 ? 0 : Math.min(other, ramp(onePitchShare(tone), 0.5, 0.9));
  if (voicesAlone >= CLEAR_EVIDENCE) return { content: 'acapella', voicesAlone };
  return { content: mean(presence) < NO_VOICE_BELOW ? 'instrumental' : 'full', voicesAlone };
}
