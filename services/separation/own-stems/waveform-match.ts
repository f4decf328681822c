/** Compares the waveforms of a file and a song at a shift: whether they are of one recording, and by how much exactly they are shifted. */
import { RealFft, hannWindow } from '../../../audio/fft.ts';
import type { Sound } from './sound.ts';

/** Length of a window: 3 s. */
export const WINDOW = 2 ** 17;
const WINDOWS = 12;
/** The shift is corrected by up to this many samples: 0.37 s. */
export const REACH = 2 ** 14;
/** Spectra are levelled by their means over this many bins to each side. */
const SMOOTHING = 12;
/** What is this much (in power) below the mean of a spectrum is not raised to its level: there is nothing but noise. */
const FLOOR = 1000;
/** Windows much quieter than the loudest are not used. */
const QUIET = 10 ** (-30 / 20);

/** `strength`: height of the peak of the correlation, in deviations of the rest. `shift`: in samples, with a fraction. */
export interface WaveformMatch {
  shift: number;
  strength: number;
}

/** Starts of the windows of a file that are compared: the loudest one in each of equal parts. */
export function windowStarts(file: Sound, song: Sound, shift: number): number[] {
  const first = Math.max(0, -shift);
  const last = Math.min(file.samples.length, song.samples.length - shift) - WINDOW;
  if (last < first) return [];
  const step = WINDOW / 4;
  const energies: { start: number; energy: number }[] = [];
  for (let start = first; start <= last; start += step) {
    let energy = 0;
    // Every fourth sample tells the level.
    for (let i = start; i < start + WINDOW; i += 4) energy += file.samples[i]! ** 2;
    energies.push({ start, energy });
  }
  const loudest = Math.max(...energies.map(({ energy }) => energy));
  const perPart = Math.max(1, energies.length / WINDOWS);
  const starts: number[] = [];
  for (let part = 0; part * perPart < energies.length && part < WINDOWS; part++) {
    const candidates = energies.slice(Math.floor(part * perPart), Math.max(1, Math.floor((part + 1) * perPart)));
    const best = candidates.reduce((a, b) => (b.energy > a.energy ? b : a), { start: 0, energy: -1 });
    if (best.energy > 0 && best.energy >= loudest * QUIET ** 2) starts.push(best.start);
  }
  return starts;
}

/** Returns how well the waveforms fit with a shift of about `shift` samples. */
export async function matchWaveforms(song: Sound, file: Sound, shift: number): Promise<WaveformMatch> {
  const starts = windowStarts(file, song, shift);
  if (starts.length === 0) return { shift, strength: 0 };
  const fft = await RealFft.create(WINDOW);
  const sum = new Float64Array(WINDOW);
  for (const start of starts) {
    const a = whitened(fft, song.samples, start + shift).slice();
    const b = whitened(fft, file.samples, start);
    for (let i = 2; i < WINDOW; i += 2) {
      const re = a[i]! * b[i]! + a[i + 1]! * b[i + 1]!;
      const im = a[i + 1]! * b[i]! - a[i]! * b[i + 1]!;
      b[i] = re;
      b[i + 1] = im;
    }
    b[0] = 0;
    b[1] = 0;
    fft.inverse();
    for (let i = 0; i < WINDOW; i++) sum[i] = sum[i]! + fft.time[i]!;
  }
  fft.free();
  return peakOf(sum, shift);
}

/** Transforms a windowed part to a spectrum whose level is the same at all frequencies. */
function whitened(fft: RealFft, samples: Float32Array, start: number): Float32Array {
  const { time, spectrum } = fft;
  for (let i = 0; i < WINDOW; i++) time[i] = samples[start + i]! * HANN[i]!;
  fft.forward();
  const bins = WINDOW / 2;
  const powers = new Float64Array(bins + 1);
  for (let bin = 1; bin < bins; bin++)
    powers[bin + 1] = powers[bin]! + spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
  const floor = powers[bins]! / bins / FLOOR || 1;
  for (let bin = 1; bin < bins; bin++) {
    const from = Math.max(1, bin - SMOOTHING);
    const to = Math.min(bins, bin + SMOOTHING + 1);
    const scale = 1 / Math.sqrt((powers[to]! - powers[from]!) / (to - from) + floor);
    spectrum[2 * bin]! *= scale;
    spectrum[2 * bin + 1]! *= scale;
  }
  return spectrum;
}

const HANN = hannWindow(WINDOW);

function peakOf(correlation: Float64Array, shift: number): WaveformMatch {
  const at = (lag: number): number => correlation[(lag + WINDOW) % WINDOW]!;
  let top = 0;
  for (let lag = -REACH; lag <= REACH; lag++) if (at(lag) > at(top)) top = lag;
  let rest = 0;
  const [from, to] = [REACH + REACH / 4, WINDOW / 2];
  for (let lag = from; lag < to; lag++) rest += at(lag) ** 2 + at(-lag) ** 2;
  const deviation = Math.sqrt(rest / (2 * (to - from))) || 1;
  const curve = at(top - 1) - 2 * at(top) + at(top + 1);
  const fraction = curve < 0 ? (at(top - 1) - at(top + 1)) / (2 * curve) : 0;
  return { shift: shift + top + fraction, strength: at(top) / deviation };
}
