/** The grid of a machine's tempo: one period and one phase for the whole song, wherever its onsets go astray. */
import { fitRobustly, refine } from './beats.ts';
import type { BeatGrid } from './beats.ts';
import { RHYTHM_RATE } from './rhythm-features.ts';

/** The period is looked for this far around the tempo that is asked for. */
const SEARCH_SHARE = 0.02;
/** Steps of the search, in the resolution that the song's length gives. */
const STEPS_PER_RESOLUTION = 4;
/** Every other beat, beats, and beats with their off-beats, which alone would cancel each other. */
const HARMONICS = [0.5, 1, 2];
/** Steps of the phase of a beat. */
const PHASES = 48;
/** Onsets this near to a beat say where it is exactly, seconds; first round and second. */
const REACHES_SEC = [0.05, 0.025];

/** Squared length of the Fourier coefficient of `signal` at `cycles` per frame. */
function powerAt(signal: Float32Array, cycles: number): number {
  const [turnRe, turnIm] = [Math.cos(2 * Math.PI * cycles), Math.sin(2 * Math.PI * cycles)];
  let [re, im, sumRe, sumIm] = [1, 0, 0, 0];
  for (const value of signal) {
    sumRe += value * re;
    sumIm += value * im;
    [re, im] = [re * turnRe - im * turnIm, re * turnIm + im * turnRe];
  }
  return sumRe * sumRe + sumIm * sumIm;
}

/** The phase (0..1 of a period, in frames) at which most of the signal lies. */
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

/**
 * The steady grid near `bpm` that fits a song best, over [0, durationSec].
 * @param driving what beats are tracked by, at RHYTHM_RATE
 * @param strength onset strength, which says where an onset is exactly
 */
export function steadyGrid(driving: Float32Array, strength: Float32Array, bpm: number, durationSec: number): BeatGrid {
  const wanted = bpm / 60 / RHYTHM_RATE;
  const step = 1 / (STEPS_PER_RESOLUTION * driving.length);
  const reach = Math.ceil((SEARCH_SHARE * wanted) / step);
  let [cycles, strongest] = [wanted, -1];
  for (let k = -reach; k <= reach; k++) {
    const tried = wanted + k * step;
    const power = HARMONICS.reduce((sum, harmonic) => sum + powerAt(driving, harmonic * tried), 0);
    if (power > strongest) [cycles, strongest] = [tried, power];
  }
  let line = { slope: 1 / cycles, offset: strongestPhase(driving, 1 / cycles) };
  let residual = 0;
  for (const reachSec of REACHES_SEC) {
    const [indices, frames, weights]: [number[], number[], number[]] = [[], [], []];
    const near = Math.round(reachSec * RHYTHM_RATE);
    for (let i = 0; line.offset + i * line.slope < driving.length - 1; i++) {
      const expected = Math.round(line.offset + i * line.slope);
      let peak = expected;
      for (let at = Math.max(1, expected - near); at <= Math.min(driving.length - 2, expected + near); at++) {
        if (driving[at]! > driving[peak]!) peak = at;
      }
      indices.push(i);
      frames.push(refine(strength, peak));
      weights.push(0.02 + Math.min(3, driving[peak]!) ** 2);
    }
    if (indices.length < 4) break;
    line = fitRobustly(indices, frames, weights, 0.01 * RHYTHM_RATE);
    const { offset, slope } = line;
    const squares = frames.map((frame, i) => weights[i]! * (frame - offset - slope * i) ** 2);
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    residual = Math.sqrt(sum(squares) / sum(weights)) / RHYTHM_RATE;
  }
  const period = line.slope / RHYTHM_RATE;
  const first = (line.offset / RHYTHM_RATE) % period;
  const start = first - period > -0.03 ? first - period : first;
  const times: number[] = [];
  for (let i = 0; start + i * period < durationSec; i++) times.push(Math.max(0, start + i * period));
  return { times, bpm: 60 / period, residual, steady: true };
}
