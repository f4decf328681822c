/** Whether a song has a beat: how clearly its onsets repeat at one period for seconds on end. */
import { RHYTHM_RATE } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { mean, quantile } from './statistics.ts';
import { autocorrelation, onsetStrength } from './tempo.ts';

/** Values per second. */
const PULSE_RATE = RHYTHM_RATE / 2;
/** Length of a window, seconds: long enough for some bars, short enough for a tempo that drifts. Windows overlap by half. */
const WINDOW_SEC = 12;
/** Range of periods, seconds: 240 to 40 beats per minute. */
const PERIODS_SEC = [0.25, 1.5] as const;
/** Limit of the onset strength, in multiples of its RMS: one attack, such as the start of a noise, is no rhythm. */
const MAX_STRENGTH = 5;
/** Windows with less than this share of the RMS of the song are left out: nothing plays there. */
const MIN_WINDOW_RMS = 0.2;
/** Share of windows without a beat that a song with a beat may have, for example an introduction in free time. */
const FREE_SHARE = 0.75;
/** Clarity from which on there is a beat. */
const MIN_CLARITY = 0.2;
/** Sound has attacks if this share of its frames has at least this spectral flux, at full level. Pads and drones have less than half of it. */
const ATTACK_SHARE = 0.02;
const MIN_ATTACK_FLUX = 0.06;
/** Level (RMS) of a loud song, and how the flux of attacks falls with the level: it is that of compressed energy. */
const FULL_LEVEL = 0.05;
const LEVEL_EXPONENT = 0.45;

/** Spectral flux and mean square of a song at RHYTHM_RATE. */
export type PulseInput = Pick<RhythmFeatures, 'flux' | 'power'>;

const rmsOf = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));

/** Onset strength at half the rate. Each value is the weighted mean of three: onsets of one beat may differ by a frame. */
function smoothed(strength: Float32Array): Float32Array {
  const at = (i: number): number => strength[i] ?? 0;
  return Float32Array.from(
    { length: strength.length >> 1 },
    (_, i) => at(2 * i) / 2 + (at(2 * i - 1) + at(2 * i + 1)) / 4,
  );
}

/** Highest autocorrelation of a window, 0..1, that is reached at a period and at twice the period. */
function windowClarity(window: Float32Array): number {
  const average = mean(window);
  const [shortest, longest] = PERIODS_SEC.map((seconds) => Math.round(seconds * PULSE_RATE)) as [number, number];
  const correlation = autocorrelation(
    window.map((value) => value - average),
    2 * longest + 1,
  );
  let best = 0;
  for (let lag = shortest; lag <= longest; lag++) {
    const twice = Math.max(correlation[2 * lag - 1]!, correlation[2 * lag]!, correlation[2 * lag + 1]!);
    best = Math.max(best, Math.min(correlation[lag]!, twice));
  }
  return best;
}

/** Whether a sound has attacks at all. */
function hasAttacks({ flux, power }: PulseInput): boolean {
  const level = Math.sqrt(mean(power));
  return quantile(flux, 1 - ATTACK_SHARE) >= MIN_ATTACK_FLUX * Math.min(1, (level / FULL_LEVEL) ** LEVEL_EXPONENT);
}

/**
 * Clarity of the beat, 0..1: the autocorrelation of the onset strength at the best period, within windows, so that a tempo that drifts
 * counts as well. It is that of the window at the upper quartile. Noise has about 0.1, songs with drums 0.5 to 0.9.
 * 0 without attacks.
 */
export function pulseClarity(input: PulseInput): number {
  if (!hasAttacks(input)) return 0;
  const strength = smoothed(onsetStrength(input.flux).map((value) => Math.min(MAX_STRENGTH, value)));
  const size = Math.min(strength.length, Math.round(WINDOW_SEC * PULSE_RATE));
  const floor = MIN_WINDOW_RMS * rmsOf(strength);
  const clarities: number[] = [];
  for (let at = 0; at + size <= strength.length; at += size >> 1) {
    const window = strength.subarray(at, at + size);
    if (rmsOf(window) >= floor) clarities.push(windowClarity(window));
  }
  return quantile(clarities, FREE_SHARE);
}

/** Whether a clarity is that of a beat. */
export function isBeat(clarity: number): boolean {
  return clarity >= MIN_CLARITY;
}
