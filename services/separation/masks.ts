/** Shares of the four stems in one frame; at every point of the plane they sum to one. */
import { COLUMN_HZ, COLUMNS } from './columns.ts';
import { fillComb } from './pitch.ts';
import type { PitchLine } from './pitch.ts';

/**
 * What is broad in frequency counts this much against what lasts (Fitzgerald 2010 has 1 everywhere): at the bottom kicks reach into few
 * bins and at the top hats and cymbals ring, while voices and chords own the middle. [Hz, weight], between them on logarithmic scales.
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
/** Below the first frequency low centre sound is bass, above the second none is; between them the share falls. */
const BASS_FULL_HZ = 310;
const BASS_END_HZ = 500;
/** A singing voice is heard from the first frequency on and in full above the second. */
const VOICE_START_HZ = 150;
const VOICE_FULL_HZ = 290;
/** Bass that is no harmonic of the bass line keeps this part; the rest is other. */
const BASS_OFF_LINE = 0.45;
/** Part of a centred sound that is voice on a harmonic of the melody although it returns elsewhere, as sung loops do. */
const REPEATED_VOICE = 0.4;
/** Between the melody's harmonics new sound above the second frequency counts this much as voice, below the first in full. */
const VOICE_OFF_LINE = 0.15;
const OFF_LINE_FROM_HZ = 600;
const OFF_LINE_FULL_HZ = 1500;
/** Saliences at which the melody is not believed at all, and in full. */
const UNVOICED_SALIENCE = 0.15;
const VOICED_SALIENCE = 0.8;
/** What stands out of its neighbours in frequency is a tone, however short: how far out of what is broad, and what its power counts. */
const PEAK_OVER_BROAD = 1.5;
const PEAK_WEIGHT = 0.5;
const PEAK_RANGE_HZ = [200, 400, 4000, 6000] as const;
/** In the middle a sound at the side is a drum only so much less often. */
const SIDE_DRUMS = 0.5;
const SIDE_RANGE_HZ = [200, 400, 4000, 6000] as const;
/** Below the first frequency bass is bass wherever it stands, above the second only in the centre. */
const DEEP_HZ = [90, 180] as const;
/** Widths of the harmonics' lines in bins, and where their combs end. */
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
/** By column: the part of a drum's share that a point at the side loses. */
export const SIDE_LOSS = COLUMN_HZ.map((hertz) => SIDE_DRUMS * within(hertz, SIDE_RANGE_HZ));
/** By column: how far bass is taken from the sides as well. */
export const DEEP = COLUMN_HZ.map((hertz) => 1 - ramp(hertz, ...DEEP_HZ));

/** One row of each plane, and where the two melodies are. */
export type FrameView = {
  magnitude: Float32Array;
  lasting: Float32Array;
  broad: Float32Array;
  background: Float32Array;
};

/** Shares of one frame by column, `voice` and `bass` still to be taken by how centred a point is. */
export class FrameShares {
  readonly drums = new Float32Array(COLUMNS);
  readonly voice = new Float32Array(COLUMNS);
  readonly bass = new Float32Array(COLUMNS);
  private readonly voiceComb = new Float32Array(COLUMNS);
  private readonly bassComb = new Float32Array(COLUMNS);

  /**
   * Median filtering splits what is broad and short (drums) from what lasts; of that, what does not return elsewhere or lies on the
   * melody is the voice, and what is low is bass, most of all on its line.
   */
  compute(view: FrameView, frame: number, melody: PitchLine, bassLine: PitchLine): void {
    const { magnitude, lasting, broad, background } = view;
    const { drums, voice, bass, voiceComb, bassComb } = this;
    fillComb(voiceComb, melody.hertz[frame]!, VOICE_LINE_WIDTH, VOICE_COMB_TOP_HZ);
    fillComb(bassComb, bassLine.hertz[frame]!, BASS_LINE_WIDTH, BASS_END_HZ);
    const voiced = ramp(melody.salience[frame]!, UNVOICED_SALIENCE, VOICED_SALIENCE);
    for (let column = 0; column < COLUMNS; column++) {
      const broadPower = DRUMS[column]! * broad[column]! ** 2;
      const peak = Math.max(0, magnitude[column]! - PEAK_OVER_BROAD * broad[column]!);
      const tonal = lasting[column]! ** 2 + PEAKS[column]! * peak * peak;
      const drum = broadPower / (tonal + broadPower + TINY);
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
