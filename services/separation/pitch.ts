/**
 * The pitch of the leading part in a plane of magnitudes: sums over harmonics, joined to a line by the Viterbi
 * algorithm (after Salamon and Gómez 2012, much reduced). There is always a pitch; its salience says how far to believe it.
 */
import { BIN_HZ } from './columns.ts';

export type PitchRange = {
  lowHz: number;
  highHz: number;
  harmonics: number;
  /** Weight of each harmonic against the one below it. */
  decay: number;
  /** Harmonics above this do not count. */
  topHz: number;
};

export type PitchLine = {
  /** Pitch of each frame, Hz. */
  hertz: Float32Array;
  /** Harmonic sum of the pitch over the mean of all frames. */
  salience: Float32Array;
};

/** Candidates to an octave: quarter tones of a quarter tone. */
const PER_OCTAVE = 48;
/** Largest glide from one frame to the next, in candidates; anything farther is a leap. */
const GLIDE = 8;
/** Cost of a leap, in mean saliences; a glide costs its part of it. */
const LEAP_COST = 1;

type Candidates = { count: number; bins: Int32Array; parts: Float32Array; weights: Float32Array };

function candidates({ lowHz, highHz, harmonics, decay, topHz }: PitchRange, columns: number): Candidates {
  const count = Math.round(PER_OCTAVE * Math.log2(highHz / lowHz)) + 1;
  const bins = new Int32Array(count * harmonics);
  const parts = new Float32Array(count * harmonics);
  const weights = new Float32Array(count * harmonics);
  for (let k = 0; k < count; k++) {
    for (let h = 0; h < harmonics; h++) {
      const hertz = lowHz * 2 ** (k / PER_OCTAVE) * (h + 1);
      const at = k * harmonics + h;
      bins[at] = Math.floor(hertz / BIN_HZ);
      parts[at] = hertz / BIN_HZ - bins[at]!;
      weights[at] = hertz < topHz && bins[at]! + 1 < columns ? decay ** h : 0;
    }
  }
  return { count, bins, parts, weights };
}

/** Harmonic sums of all candidates in all frames, and the mean of the frames' largest. */
function harmonicSums(
  plane: Float32Array,
  frames: number,
  columns: number,
  { count, bins, parts, weights }: Candidates,
): { sums: Float32Array; mean: number } {
  const harmonics = bins.length / count;
  const sums = new Float32Array(frames * count);
  let mean = 1e-9;
  for (let frame = 0; frame < frames; frame++) {
    const row = frame * columns;
    let largest = 0;
    for (let k = 0; k < count; k++) {
      let sum = 0;
      for (let at = k * harmonics; at < (k + 1) * harmonics && weights[at]! > 0; at++) {
        const bin = row + bins[at]!;
        sum += weights[at]! * ((1 - parts[at]!) * plane[bin]! + parts[at]! * plane[bin + 1]!);
      }
      sums[frame * count + k] = sum;
      if (sum > largest) largest = sum;
    }
    mean += largest / frames;
  }
  return { sums, mean };
}

/** Follows the pitch through `plane`: `frames` rows of the lowest `columns` bins. */
export function followPitch(plane: Float32Array, frames: number, columns: number, range: PitchRange): PitchLine {
  const wanted = candidates(range, columns);
  const { count } = wanted;
  const { sums, mean } = harmonicSums(plane, frames, columns, wanted);
  const origins = new Int16Array(frames * count);
  let before = new Float32Array(count);
  let now = new Float32Array(count);
  const strongest = (scores: Float32Array): number =>
    scores.reduce((best, score, k) => (score > scores[best]! ? k : best), 0);
  for (let frame = 0; frame < frames; frame++) {
    const leapFrom = strongest(before);
    for (let k = 0; k < count; k++) {
      let score = before[leapFrom]! - LEAP_COST;
      let origin = leapFrom;
      for (let from = Math.max(0, k - GLIDE); from <= Math.min(count - 1, k + GLIDE); from++) {
        const glide = before[from]! - (LEAP_COST * Math.abs(k - from)) / GLIDE;
        if (glide > score) [score, origin] = [glide, from];
      }
      now[k] = score + sums[frame * count + k]! / mean;
      origins[frame * count + k] = origin;
    }
    [before, now] = [now, before];
  }
  const hertz = new Float32Array(frames);
  const salience = new Float32Array(frames);
  for (let frame = frames - 1, k = strongest(before); frame >= 0; frame--) {
    hertz[frame] = range.lowHz * 2 ** (k / PER_OCTAVE);
    salience[frame] = sums[frame * count + k]! / mean;
    k = origins[frame * count + k]!;
  }
  return { hertz, salience };
}

/**
 * Fills `comb` (one value a bin) with 1 at the harmonics of `hertz` below `topHz`, falling to 0 between them. `width` is that of a line
 * in bins; lines of higher harmonics are wider, since a voice's pitch moves within a frame.
 */
export function fillComb(comb: Float32Array, hertz: number, width: number, topHz: number): void {
  comb.fill(0);
  for (let harmonic = hertz; harmonic < topHz; harmonic += hertz) {
    const centre = harmonic / BIN_HZ;
    const reach = width + 0.004 * centre;
    const last = Math.min(comb.length - 1, Math.floor(centre + 2 * reach));
    for (let bin = Math.max(0, Math.ceil(centre - 2 * reach)); bin <= last; bin++) {
      const distance = (bin - centre) / reach;
      comb[bin] = Math.max(comb[bin]!, Math.exp(-0.7 * distance * distance));
    }
  }
}
