/** A beat grid of constant tempo: one period and one phase for the whole song. */
import { fitRobustly, refinePeak } from './beats.ts';
import type { FittedGrid } from './beats.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';

/** Search range of the tempo, relative to the given tempo. */
const SEARCH_SHARE = 0.02;
/** Steps of the search per frequency resolution of the song's length. */
const STEPS_PER_RESOLUTION = 4;
/** Frequencies relative to the beat: every other beat, beats, and half beats, which alone would cancel each other. */
const HARMONICS = [0.5, 1, 2];
/** Resolution of the phase, steps per beat. */
const PHASES = 48;
/** Distance from a beat within which onsets determine its exact time, seconds: first and second round. */
const REACHES_SEC = [0.05, 0.025];

/** Frame of beat i is `offset + slope * i`. */
type Line = { slope: number; offset: number };

/** Squared magnitude of the Fourier coefficient of `signal` at `cycles` per frame. */
export function powerAt(signal: Float32Array, cycles: number): number {
  const turnRe = Math.cos(2 * Math.PI * cycles);
  const turnIm = Math.sin(2 * Math.PI * cycles);
  let re = 1;
  let im = 0;
  let sumRe = 0;
  let sumIm = 0;
  // No iterator and no pairs of values: code that is not optimised yet allocates them in each of millions of rounds.
  for (let i = 0; i < signal.length; i++) {
    const value = signal[i]!;
    sumRe += value * re;
    sumIm += value * im;
    const turned = re * turnRe - im * turnIm;
    im = re * turnIm + im * turnRe;
    re = turned;
  }
  return sumRe * sumRe + sumIm * sumIm;
}

/** The phase of `period` (in frames, below `period`) with most of the signal. */
function strongestPhase(signal: Float32Array, period: number): number {
  const sums = new Float64Array(PHASES);
  signal.forEach((value, i) => {
    sums[Math.floor(((i / period) % 1) * PHASES)]! += value;
  });
  let best = 0;
  const around = (k: number): number => sums[(k + PHASES - 1) % PHASES]! + 2 * sums[k]! + sums[(k + 1) % PHASES]!;
  for (let k = 1; k < PHASES; k++) if (around(k) > around(best)) best = k;
  return ((best + 0.5) / PHASES) * period;
}

/** Frequency near `wanted` with the most power of `signal` at it and its harmonics, cycles per frame. */
function strongestFrequency(signal: Float32Array, wanted: number): number {
  const step = 1 / (STEPS_PER_RESOLUTION * signal.length);
  const reach = Math.ceil((SEARCH_SHARE * wanted) / step);
  let [cycles, strongest] = [wanted, -1];
  for (let k = -reach; k <= reach; k++) {
    const tried = wanted + k * step;
    const power = HARMONICS.reduce((sum, harmonic) => sum + powerAt(signal, harmonic * tried), 0);
    if (power > strongest) [cycles, strongest] = [tried, power];
  }
  return cycles;
}

/** Beats with an exact time each. */
type BeatOnsets = { indices: number[]; frames: number[]; weights: number[] };

/** For each beat of `line` the strongest onset within `reach` frames. */
function onsetsNear(line: Line, reach: number, beatStrength: Float32Array, strength: Float32Array): BeatOnsets {
  const onsets: BeatOnsets = { indices: [], frames: [], weights: [] };
  for (let i = 0; line.offset + i * line.slope < beatStrength.length - 1; i++) {
    const expected = Math.round(line.offset + i * line.slope);
    let peak = expected;
    for (let at = Math.max(1, expected - reach); at <= Math.min(beatStrength.length - 2, expected + reach); at++) {
      if (beatStrength[at]! > beatStrength[peak]!) peak = at;
    }
    onsets.indices.push(i);
    onsets.frames.push(refinePeak(strength, peak));
    onsets.weights.push(0.02 + Math.min(3, beatStrength[peak]!) ** 2);
  }
  return onsets;
}

/** Weighted RMS distance of onsets from a line, frames. */
function residualOf({ offset, slope }: Line, { frames, weights }: BeatOnsets): number {
  const squares = frames.map((frame, i) => weights[i]! * (frame - offset - slope * i) ** 2);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  return Math.sqrt(sum(squares) / sum(weights));
}

/**
 * Fits a grid of constant tempo near `bpm` to a song, over [0, durationSec).
 * @param beatStrength strength for beat tracking at RHYTHM_RATE
 * @param strength onset strength at RHYTHM_RATE, which gives the exact time of an onset
 */
export function fitSteadyGrid(
  beatStrength: Float32Array,
  strength: Float32Array,
  bpm: number,
  durationSec: number,
): FittedGrid {
  const cycles = strongestFrequency(beatStrength, bpm / 60 / RHYTHM_RATE);
  let line: Line = { slope: 1 / cycles, offset: strongestPhase(beatStrength, 1 / cycles) };
  let residual = 0;
  for (const reachSec of REACHES_SEC) {
    const onsets = onsetsNear(line, Math.round(reachSec * RHYTHM_RATE), beatStrength, strength);
    if (onsets.indices.length < 4) break;
    line = fitRobustly(onsets.indices, onsets.frames, onsets.weights, 0.01 * RHYTHM_RATE);
    residual = residualOf(line, onsets) / RHYTHM_RATE;
  }
  const period = line.slope / RHYTHM_RATE;
  const first = (line.offset / RHYTHM_RATE) % period;
  const start = first - period > -0.03 ? first - period : first;
  const times: number[] = [];
  for (let i = 0; start + i * period < durationSec; i++) times.push(Math.max(0, start + i * period));
  return { times, bpm: 60 / period, residual, steady: true };
}
