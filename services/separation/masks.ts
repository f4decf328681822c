/** Soft masks of drums, voice and bass for one frame. Other is the rest. */
import { COLUMN_HZ, COLUMNS } from './columns.ts';
import { fillComb } from './pitch.ts';
import type { PitchLine } from './pitch.ts';

/**
 * Weight of percussive against harmonic power (1 everywhere in Fitzgerald 2010). It is high at the bottom, where kicks cover few bins, and
 * at the top, where hats and cymbals ring, and low in the middle, where voices and chords dominate. [Hz, weight], interpolated on
 * logarithmic scales.
 */
const DRUM_WEIGHTS: readonly (readonly [hertz: number, weight: number])[] = [
  [60, 16],
  [150, 1.25],
  [400, 0.6],
  [1000, 0.45],
  [2500, 0.45],
  [5000, 15],
  [10_000, 60],
];
/** Low-frequency sound in the centre is bass below the first frequency and not above the second; the share falls between them. */
const BASS_FULL_HZ = 310;
const BASS_END_HZ = 500;
/** The voice mask starts at the first frequency and is complete from the second. */
const VOICE_START_HZ = 150;
const VOICE_FULL_HZ = 290;
/** Bass mask between the harmonics of the bass line; the rest is other. */
const BASS_OFF_LINE = 0.45;
/** Weight of repeated sound on the harmonics of the melody as voice, since sung loops repeat. */
const REPEATED_VOICE = 0.4;
/** Weight of non-repeated sound between the melody's harmonics as voice above the second frequency; 1 below the first. */
const VOICE_OFF_LINE = 0.15;
const OFF_LINE_FROM_HZ = 600;
const OFF_LINE_FULL_HZ = 1500;
/** Saliences below which the melody is ignored, and above which it counts in full. */
const UNVOICED_SALIENCE = 0.15;
const VOICED_SALIENCE = 0.8;
/** Spectral peaks are tonal even if they are short: minimum ratio to the percussive magnitude, and weight of their power. */
const PEAK_RATIO = 1.5;
const PEAK_WEIGHT = 0.5;
const PEAK_RANGE_HZ = [200, 400, 4000, 6000] as const;
/** Reduction of the drum mask for sound off the centre, in the given range of frequencies. */
const SIDE_DRUMS = 0.5;
const SIDE_RANGE_HZ = [200, 400, 4000, 6000] as const;
/** Bass may be off the centre below the first frequency and must be in the centre above the second. */
const SUB_BASS_HZ = [90, 180] as const;
/** Widths of the harmonics in bins, and the end of the voice's comb. */
const BASS_LINE_WIDTH = 1.7;
const VOICE_LINE_WIDTH = 2;
const VOICE_COMB_TOP_HZ = 6000;
const TINY = 1e-12;

/** 0 below `from`, 1 above `to`, a raised cosine between. */
function ramp(value: number, from: number, to: number): number {
  if (value <= from) return 0;
  if (value >= to) return 1;
  return 0.5 - 0.5 * Math.cos((Math.PI * (value - from)) / (to - from));
}

/** Weight of percussive power at a frequency. */
function drumWeight(hertz: number): number {
  const above = DRUM_WEIGHTS.findIndex(([edge]) => edge > hertz);
  if (above === 0) return DRUM_WEIGHTS[0]![1];
  if (above < 0) return DRUM_WEIGHTS.at(-1)![1];
  const [lowHz, low] = DRUM_WEIGHTS[above - 1]!;
  const [highHz, high] = DRUM_WEIGHTS[above]!;
  return low * (high / low) ** (Math.log(hertz / lowHz) / Math.log(highHz / lowHz));
}

const DRUMS = COLUMN_HZ.map(drumWeight);
const VOICE_RANGE = COLUMN_HZ.map((hertz) => ramp(hertz, VOICE_START_HZ, VOICE_FULL_HZ));
const BASS_RANGE = COLUMN_HZ.map((hertz) => 1 - ramp(hertz, BASS_FULL_HZ, BASS_END_HZ));
const OFF_LINE = COLUMN_HZ.map((hertz) => 1 - (1 - VOICE_OFF_LINE) * ramp(hertz, OFF_LINE_FROM_HZ, OFF_LINE_FULL_HZ));

type Edges = readonly [from: number, full: number, until: number, end: number];
const within = (hertz: number, [from, full, until, end]: Edges): number =>
  ramp(hertz, from, full) * (1 - ramp(hertz, until, end));
const PEAKS = COLUMN_HZ.map((hertz) => PEAK_WEIGHT * within(hertz, PEAK_RANGE_HZ));
/** By column: share of the drum mask that a point off the centre loses. */
export const SIDE_LOSS = COLUMN_HZ.map((hertz) => SIDE_DRUMS * within(hertz, SIDE_RANGE_HZ));
/** By column: share of the bass mask that applies off the centre as well. */
export const SUB_BASS = COLUMN_HZ.map((hertz) => 1 - ramp(hertz, ...SUB_BASS_HZ));

/** One frame by columns: magnitude, its medians over time and over frequency, and its repeating background. */
export type FrameView = {
  magnitude: Float32Array;
  harmonic: Float32Array;
  percussive: Float32Array;
  background: Float32Array;
};

/** Masks of one frame by column, 0..1. `voice` and `bass` do not consider yet how centred a point is. */
export class FrameMasks {
  readonly drums = new Float32Array(COLUMNS);
  readonly voice = new Float32Array(COLUMNS);
  readonly bass = new Float32Array(COLUMNS);
  private readonly voiceComb = new Float32Array(COLUMNS);
  private readonly bassComb = new Float32Array(COLUMNS);

  /**
   * Computes the masks. Median filtering separates percussive from harmonic power. Harmonic sound is voice if it is not repeated
   * elsewhere or is on the melody, and bass if it is low, most of all on the bass line.
   */
  compute(view: FrameView, frame: number, melody: PitchLine, bassLine: PitchLine): void {
    const { magnitude, harmonic, percussive, background } = view;
    const { drums, voice, bass, voiceComb, bassComb } = this;
    fillComb(voiceComb, melody.hertz[frame]!, VOICE_LINE_WIDTH, VOICE_COMB_TOP_HZ);
    fillComb(bassComb, bassLine.hertz[frame]!, BASS_LINE_WIDTH, BASS_END_HZ);
    const voiced = ramp(melody.salience[frame]!, UNVOICED_SALIENCE, VOICED_SALIENCE);
    for (let column = 0; column < COLUMNS; column++) {
      const percussivePower = DRUMS[column]! * percussive[column]! ** 2;
      const peak = Math.max(0, magnitude[column]! - PEAK_RATIO * percussive[column]!);
      const tonal = harmonic[column]! ** 2 + PEAKS[column]! * peak * peak;
      const drum = percussivePower / (tonal + percussivePower + TINY);
      const line = voiceComb[column]!;
      const offLine = OFF_LINE[column]!;
      const fresh = (magnitude[column]! - background[column]!) ** 2 * (1 - voiced * (1 - offLine) * (1 - line));
      const repeated = REPEATED_VOICE * magnitude[column]! ** 2 * (1 - voiced * (1 - line));
      const sung = fresh + repeated;
      drums[column] = drum;
      voice[column] = ((1 - drum) * VOICE_RANGE[column]! * sung) / (sung + background[column]! ** 2 + TINY);
      bass[column] = BASS_RANGE[column]! * (BASS_OFF_LINE + (1 - BASS_OFF_LINE) * bassComb[column]!);
    }
  }
}
