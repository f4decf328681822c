/**
 * Tracks the pitch of the leading part in a plane of magnitudes: harmonic sums, joined to a line with the Viterbi algorithm (a simplified
 * form of Salamon and Gómez 2012). Every frame has a pitch; its salience is a measure of confidence.
 */
import { BIN_HZ } from './columns.ts';

/** Pitch range and harmonics of a part. */
export type PitchRange = {
  lowHz: number;
  highHz: number;
  /** Number of harmonics in a harmonic sum. */
  harmonics: number;
  /** Weight of each harmonic relative to the previous one. */
  decay: number;
  /** Harmonics above this frequency are ignored. */
  topHz: number;
};

/** A tracked pitch, by frame. */
export type PitchLine = {
  /** Pitch of each frame, Hz. */
  hertz: Float32Array;
  /** Harmonic sum of the pitch, relative to the mean over all frames. */
  salience: Float32Array;
};

/** Pitch candidates per octave: quarters of a semitone. */
const PER_OCTAVE = 48;
/** Largest glide from one frame to the next, in candidates. Larger changes are leaps. */
const GLIDE = 8;
/** Cost of a leap, in mean saliences. The cost of a glide is proportional to its width. */
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

/** Harmonic sums of all candidates in all frames, and the mean over frames of the largest sum. */
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

/** Tracks the pitch through `plane`: `frames` rows of the lowest `columns` bins. */
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
 * Fills `comb` (one value per bin) with 1 at the harmonics of `hertz` below `topHz`, falling to 0 between them. `width` is the width of a
 * harmonic in bins. Higher harmonics are wider, because the pitch of a voice changes within a frame.
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
