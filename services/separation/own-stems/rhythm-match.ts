/** Finds by how much a file is shifted against another one, from the times at which frequency bands become louder. */
import { RealFft } from '../../../audio/fft.ts';
import { HOP } from './sound.ts';
import type { Sound } from './sound.ts';

/** A possible shift of a file, in samples: positive if the file has to start later. `strength`: of the peak, in deviations of the others. */
export interface Shift {
  samples: number;
  strength: number;
}

/** Peaks closer than this (in frames) are one. */
const PEAK_FRAMES = 10;

/** Smallest power of two from `length` on. */
const powerOfTwo = (length: number): number => 2 ** Math.ceil(Math.log2(Math.max(64, length)));

/**
 * Returns the most likely shifts of `file` against `song` of up to `maxShift` samples, the most likely first; none if one of them is
 * shorter than a frame.
 */
export async function likelyShifts(song: Sound, file: Sound, maxShift: number, count: number): Promise<Shift[]> {
  const reach = Math.round(maxShift / HOP);
  const frames = Math.max(song.rises[0]!.length, file.rises[0]!.length);
  if (Math.min(song.rises[0]!.length, file.rises[0]!.length) === 0) return [];
  const fft = await RealFft.create(powerOfTwo(frames + reach + 1));
  const product = new Float32Array(fft.size);
  for (const [band, rises] of song.rises.entries()) {
    const a = transform(fft, rises).slice();
    const b = transform(fft, file.rises[band]!);
    // Every band counts the same, however strong its rises are.
    const scale = 1 / Math.sqrt(energyOf(rises) * energyOf(file.rises[band]!) || Infinity);
    for (let i = 0; i < product.length; i += 2) {
      product[i] = product[i]! + scale * (a[i]! * b[i]! + a[i + 1]! * b[i + 1]!);
      product[i + 1] = product[i + 1]! + scale * (a[i + 1]! * b[i]! - a[i]! * b[i + 1]!);
    }
    // Bin 0 has the values of two real bins. The mean is 0, and the highest frequency is not needed.
    product[0] = 0;
    product[1] = 0;
  }
  fft.spectrum.set(product);
  fft.inverse();
  const { time } = fft;
  const correlation = Float32Array.from({ length: 2 * reach + 1 }, (_, i) => time[(i - reach + fft.size) % fft.size]!);
  fft.free();
  return peaksOf(correlation, count).map(({ at, strength }) => ({ samples: Math.round((at - reach) * HOP), strength }));
}

function transform(fft: RealFft, values: Float32Array): Float32Array {
  fft.time.fill(0);
  fft.time.set(values);
  fft.forward();
  return fft.spectrum;
}

const energyOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);

/** The highest peaks, with their heights over the mean in standard deviations. */
function peaksOf(values: Float32Array, count: number): { at: number; strength: number }[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
  const left = Float32Array.from(values);
  return Array.from({ length: count }, () => {
    let top = 0;
    for (let i = 1; i < left.length; i++) if (left[i]! > left[top]!) top = i;
    const before = values[top - 1] ?? values[top]!;
    const behind = values[top + 1] ?? values[top]!;
    const curve = before - 2 * values[top]! + behind;
    const at = curve < 0 ? top + (before - behind) / (2 * curve) : top;
    const strength = (values[top]! - mean) / deviation;
    left.fill(-Infinity, Math.max(0, top - PEAK_FRAMES), top + PEAK_FRAMES + 1);
    return { at, strength };
  });
}
