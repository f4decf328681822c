/**
 * Abrupt changes of tempo. A Fourier tempogram (Grosche and Müller 2011) on a logarithmic frequency axis shows all pulses of the music. A
 * change of tempo moves all of them by one factor. Another pattern at the same tempo, such as half time or a break, moves none.
 */
import { RHYTHM_RATE } from './rhythm-features.ts';

const BLOCK_SEC = 2;
/** Weights of consecutive blocks in a window (Hann): ten seconds. */
const WINDOW = [0.25, 0.75, 1, 0.75, 0.25] as const;
/** Range of pulses, and the ratio of neighbouring frequencies. */
const MIN_HZ = 0.8;
const MAX_HZ = 9;
const RATIO = 1.015;
/** Largest change of tempo, in frequencies of the tempogram: three quarters of an octave, because an octave is another reading of a tempo. */
const MAX_SHIFT = 35;
/** Changes up to this are drift, which a tracked grid follows. */
const DRIFT_SHIFT = 2;
/**
 * Smallest lead of the correlation with a shift over the one without. Of 36 generated songs without a change, with drift among them, none has more than
 * 0.1; a change of 6 % has 0.59.
 */
const MIN_LEAD = 0.3;
/** Smallest correlation of the pulses after the shift: free time and noise have none in common. */
const MIN_CORRELATION = 0.5;

/** A change of tempo near `atSec`. The tempo after it is `ratio` times the one before. */
export type TempoChange = { atSec: number; ratio: number };

type Spectra = { re: Float64Array[]; im: Float64Array[] };

/** Complex sums of `signal` by frequency and block of `length` frames. */
function blockSpectra(signal: Float32Array, length: number, blocks: number): Spectra {
  const spectra: Spectra = { re: [], im: [] };
  for (let hertz = MIN_HZ; hertz <= MAX_HZ; hertz *= RATIO) {
    const angle = (2 * Math.PI * hertz) / RHYTHM_RATE;
    const [turnRe, turnIm] = [Math.cos(angle), Math.sin(angle)];
    const re = new Float64Array(blocks);
    const im = new Float64Array(blocks);
    let [cos, sin] = [1, 0];
    for (let block = 0; block < blocks; block++) {
      let [sumRe, sumIm] = [0, 0];
      for (let i = block * length; i < (block + 1) * length; i++) {
        const value = signal[i]!;
        sumRe += value * cos;
        sumIm += value * sin;
        const next = cos * turnRe - sin * turnIm;
        sin = cos * turnIm + sin * turnRe;
        cos = next;
      }
      re[block] = sumRe;
      im[block] = sumIm;
    }
    spectra.re.push(re);
    spectra.im.push(im);
  }
  return spectra;
}

/** Strength of each pulse in the windows that start at each block, with mean 0. */
function pulseProfiles(signal: Float32Array): Float64Array[] {
  const length = Math.round(BLOCK_SEC * RHYTHM_RATE);
  const blocks = Math.floor(signal.length / length);
  if (blocks < 2 * WINDOW.length) return [];
  const { re, im } = blockSpectra(signal, length, blocks);
  return Array.from({ length: blocks - WINDOW.length + 1 }, (_, start) => {
    const profile = Float64Array.from(re, (row, pulse) => {
      const sum = (values: Float64Array): number =>
        WINDOW.reduce((total, weight, k) => total + weight * values[start + k]!, 0);
      return Math.hypot(sum(row), sum(im[pulse]!));
    });
    const mean = profile.reduce((sum, value) => sum + value, 0) / profile.length;
    return profile.map((value) => value - mean);
  });
}

/** Correlation of two profiles of which the second is moved down by `shift` pulses. */
function correlationAt(before: Float64Array, after: Float64Array, shift: number): number {
  let [product, power, otherPower] = [0, 1e-9, 1e-9];
  const end = Math.min(before.length, after.length - shift);
  for (let i = Math.max(0, -shift); i < end; i++) {
    const a = before[i]!;
    const b = after[i + shift]!;
    product += a * b;
    power += a * a;
    otherPower += b * b;
  }
  return product / Math.sqrt(power * otherPower);
}

/** How much more the pulses before and after a moment agree with a shift than without, and the shift. */
function compare(before: Float64Array, after: Float64Array): { lead: number; shift: number; correlation: number } {
  let [same, best, shift] = [-1, -1, 0];
  for (let tried = -MAX_SHIFT; tried <= MAX_SHIFT; tried++) {
    const value = correlationAt(before, after, tried);
    if (Math.abs(tried) <= DRIFT_SHIFT) same = Math.max(same, value);
    else if (value > best) [best, shift] = [value, tried];
  }
  return { lead: best - same, shift, correlation: best };
}

/**
 * Finds abrupt changes of tempo, in order. Their times are exact to a few seconds. Changes within ten seconds of the ends or of each other
 * are not found.
 * @param beatStrength strength for beat tracking at RHYTHM_RATE
 */
export function findTempoChanges(beatStrength: Float32Array): TempoChange[] {
  const profiles = pulseProfiles(beatStrength);
  const reach = WINDOW.length;
  const leads = profiles.slice(reach).map((after, i) => compare(profiles[i]!, after));
  return leads.flatMap(({ lead, shift, correlation }, i) => {
    const near = leads.slice(Math.max(0, i - reach + 1), i + reach);
    const isPeak = lead === Math.max(...near.map((other) => other.lead));
    if (!isPeak || lead < MIN_LEAD || correlation < MIN_CORRELATION) return [];
    return [{ atSec: (i + reach) * BLOCK_SEC, ratio: RATIO ** shift }];
  });
}
