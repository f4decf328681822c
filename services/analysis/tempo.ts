/** Tempo candidates from the autocorrelation of the onset strength (after Ellis 2007, with a comb over multiples and the mid band). */
import { RHYTHM_RATE } from './rhythm-features.ts';

/** Slowest tempo. */
export const MIN_BPM = 55;
/** Fastest tempo. */
export const MAX_BPM = 210;
/** Centre and standard deviation (in octaves) of the tempi that people tap to. */
const PREFERRED_BPM = 112;
const PREFERENCE_OCTAVES = 0.95;
const MAX_CANDIDATES = 5;
/** Largest share of its score that a ternary period loses. */
const TERNARY_PENALTY = 0.6;
/** Window of the local mean that is subtracted from the flux, seconds. */
const LOCAL_MEAN_SEC = 0.6;

/** A tempo and its confidence, 0..1. */
export type TempoCandidate = { bpm: number; confidence: number };

/** Onset strength: flux above its local mean, scaled to an RMS of one. */
export function onsetStrength(flux: Float32Array): Float32Array {
  const reach = Math.round((LOCAL_MEAN_SEC * RHYTHM_RATE) / 2);
  const sums = new Float64Array(flux.length + 1);
  for (let i = 0; i < flux.length; i++) sums[i + 1] = sums[i]! + flux[i]!;
  const strength = flux.map((value, i) => {
    const from = Math.max(0, i - reach);
    const to = Math.min(flux.length, i + reach + 1);
    return Math.max(0, value - (sums[to]! - sums[from]!) / (to - from));
  });
  const power = strength.reduce((sum, value) => sum + value * value, 0) / Math.max(1, strength.length);
  const scale = power > 0 ? 1 / Math.sqrt(power) : 0;
  return strength.map((value) => value * scale);
}

/** Unbiased autocorrelation for lags of 0 … maxLag frames, scaled to 1 at lag 0. */
export function autocorrelation(signal: Float32Array, maxLag: number): Float32Array {
  const result = new Float32Array(maxLag + 1);
  for (let lag = 0; lag <= Math.min(maxLag, signal.length - 1); lag++) {
    let sum = 0;
    for (let i = lag; i < signal.length; i++) sum += signal[i]! * signal[i - lag]!;
    result[lag] = sum / (signal.length - lag);
  }
  const zero = result[0]! || 1;
  return result.map((value) => value / zero);
}

/** Linear interpolation; 0 beyond the end. */
function interpolate(values: Float32Array, at: number): number {
  const low = Math.floor(at);
  if (low + 1 >= values.length) return 0;
  return values[low]! + (at - low) * (values[low + 1]! - values[low]!);
}

/**
 * Score of a period (frames): the correlation at the period and at two and four times of it. If thirds of the period correlate and its half
 * does not, the period is three half-beats of the real one, which is a frequent error with syncopated and four-on-the-floor music.
 */
function periodScore(correlation: Float32Array, period: number): number {
  const at = (multiple: number): number => interpolate(correlation, period * multiple);
  const ternary = Math.max(at(1 / 3), at(2 / 3)) - at(1 / 2);
  return (0.6 * at(1) + 0.25 * at(2) + 0.15 * at(4)) * (1 - TERNARY_PENALTY * Math.max(0, ternary));
}

/** Preference of listeners for a tempo, 0..1. */
function preference(bpm: number): number {
  return Math.exp(-0.5 * (Math.log2(bpm / PREFERRED_BPM) / PREFERENCE_OCTAVES) ** 2);
}

/**
 * Estimates tempo candidates, best first. Their confidences sum to one. Empty for a signal without onsets.
 * @param flux onset strength of all bands at RHYTHM_RATE
 * @param mid onset strength of the mid band, which contains snares and chords and is not affected by fast hats
 */
export function estimateTempo(flux: Float32Array, mid: Float32Array): TempoCandidate[] {
  const maxLag = Math.ceil(((60 * RHYTHM_RATE) / MIN_BPM) * 4) + 2;
  const lags = Math.min(maxLag, flux.length - 1);
  const [all, middle] = [autocorrelation(flux, lags), autocorrelation(mid, lags)];
  const correlation = all.map((value, i) => 0.5 * (value + middle[i]!));

  const steps = 480;
  const scores: { bpm: number; score: number }[] = [];
  for (let i = 0; i <= steps; i++) {
    const bpm = MIN_BPM * (MAX_BPM / MIN_BPM) ** (i / steps);
    scores.push({ bpm, score: periodScore(correlation, (60 * RHYTHM_RATE) / bpm) * preference(bpm) });
  }
  const peaks = scores.filter(
    ({ score }, i) => score > 0 && score >= (scores[i - 1]?.score ?? -1) && score > (scores[i + 1]?.score ?? -1),
  );
  const best = peaks.sort((a, b) => b.score - a.score).slice(0, MAX_CANDIDATES);
  const sum = best.reduce((total, { score }) => total + score, 0);
  return best.map(({ bpm, score }) => ({ bpm, confidence: score / sum }));
}
