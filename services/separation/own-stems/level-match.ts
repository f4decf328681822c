/** Compares the levels of a file in a song: by how much it has to be amplified, and what would be left of it after a subtraction. */
import { RealFft, hannWindow } from '../../../audio/fft.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import type { Sound } from './sound.ts';
import { WINDOW, windowStarts } from './waveform-match.ts';

/** Bands in which levels are compared, in Hz: narrow enough to show an equalizer, wide enough for a mean over many bins. */
const EDGES_HZ = [40, 120, 300, 700, 1500, 3000, 6000, 12000];

/** `gain`: factor by which the file is in the song. `left`: energy that a subtraction leaves of it, as a share of its energy in the song. */
export interface LevelMatch {
  gain: number;
  left: number;
}

/** Sums of a band in a window: the file with the song (real and imaginary part), the energy of the file, that of the song. */
type BandSums = { re: number; im: number; file: number; song: number; bins: number };

/**
 * Compares the levels of a file that is of the recording of the song.
 * @param shift of the file, in samples, with a fraction
 */
export async function matchLevels(song: Sound, file: Sound, shift: number): Promise<LevelMatch> {
  const whole = Math.round(shift);
  const fft = await RealFft.create(WINDOW);
  const sums = windowStarts(file, song, whole).flatMap((start) => {
    const a = transform(fft, song.samples, start + whole).slice();
    return bandSums(a, transform(fft, file.samples, start), shift - whole);
  });
  fft.free();
  const energy = sums.reduce((sum, band) => sum + band.file, 0);
  if (energy === 0) return { gain: 1, left: 1 };
  const gain = medianGain(sums);
  let left = 0;
  for (const { re, im, file: own, song: all, bins } of sums) {
    if (own === 0) continue;
    // The other sounds of the song make the measured gain uncertain: what they explain is not counted.
    const chance = Math.max(0, all - (re * re + im * im) / own) / bins;
    left += Math.max(0, (re / own - gain) ** 2 + (im / own) ** 2 - chance / own) * own;
  }
  return { gain, left: left / (gain * gain * energy) };
}

/**
 * The median of the gains of all bands and windows, weighted by energy. Notes that others play as well make the gain of some too large
 * or too small.
 */
function medianGain(sums: readonly BandSums[]): number {
  const gains = sums
    .filter(({ file }) => file > 0)
    .map(({ re, file }) => ({ gain: re / file, weight: Math.sqrt(file) }));
  gains.sort((a, b) => a.gain - b.gain);
  let half = gains.reduce((sum, { weight }) => sum + weight, 0) / 2;
  return gains.find(({ weight }) => (half -= weight) <= 0)?.gain ?? 1;
}

const HANN = hannWindow(WINDOW);

function transform(fft: RealFft, samples: Float32Array, start: number): Float32Array {
  const { time } = fft;
  for (let i = 0; i < WINDOW; i++) time[i] = samples[start + i]! * HANN[i]!;
  fft.forward();
  return fft.spectrum;
}

/** @param fraction part of a sample by which the file has to be later */
function bandSums(song: Float32Array, file: Float32Array, fraction: number): BandSums[] {
  return EDGES_HZ.slice(1).map((edge, band) => {
    const sums: BandSums = { re: 0, im: 0, file: 0, song: 0, bins: 0 };
    const [from, to] = [EDGES_HZ[band]!, edge].map((hertz) => Math.round((hertz / SAMPLE_RATE) * WINDOW));
    for (let bin = from!; bin < to!; bin++) {
      const angle = (-2 * Math.PI * bin * fraction) / WINDOW;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const re = file[2 * bin]! * cos - file[2 * bin + 1]! * sin;
      const im = file[2 * bin]! * sin + file[2 * bin + 1]! * cos;
      const [songRe, songIm] = [song[2 * bin]!, song[2 * bin + 1]!];
      sums.re += songRe * re + songIm * im;
      sums.im += songIm * re - songRe * im;
      sums.file += re * re + im * im;
      sums.song += songRe * songRe + songIm * songIm;
    }
    // Neighbouring bins of a Hann window are not independent.
    sums.bins = (to! - from!) / 1.5;
    return sums;
  });
}
