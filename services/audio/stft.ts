/** Short-time Fourier transform of one block, and back. */
import { hannWindow } from './fft.ts';
import type { RealFft } from './fft.ts';

/** `frames` spectra of `bins` bins each, row by row; bin `bins - 1` is the Nyquist frequency. */
export type Spectrogram = { frames: number; bins: number; re: Float32Array; im: Float32Array };

/** Frames that cover `samples` samples; one stands before the first sample and two behind the last, so that all are covered in full. */
function frameCount(samples: number, hop: number): number {
  return Math.ceil(samples / hop) + 3;
}

/** Square root of a Hann window: used before and after, hops of a quarter of it add up to two. */
export function rootHann(size: number): Float32Array {
  return hannWindow(size).map(Math.sqrt);
}

/** Spectrogram of `samples`; frame i is centred on sample (i - 1) * hop. Outside the block is silence. */
export function stft(samples: Float32Array, fft: RealFft, window: Float32Array, hop: number): Spectrogram {
  const size = fft.size;
  const bins = size / 2 + 1;
  const frames = frameCount(samples.length, hop);
  const re = new Float32Array(frames * bins);
  const im = new Float32Array(frames * bins);
  for (let frame = 0; frame < frames; frame++) {
    const start = (frame - 1) * hop - size / 2;
    const time = fft.time;
    const from = Math.max(0, -start);
    const to = Math.max(from, Math.min(size, samples.length - start));
    time.fill(0, 0, from);
    time.fill(0, to);
    for (let i = from; i < to; i++) time[i] = samples[start + i]! * window[i]!;
    fft.forward();
    const spectrum = fft.spectrum;
    const row = frame * bins;
    re[row] = spectrum[0]!;
    re[row + bins - 1] = spectrum[1]!;
    for (let bin = 1; bin < bins - 1; bin++) {
      re[row + bin] = spectrum[2 * bin]!;
      im[row + bin] = spectrum[2 * bin + 1]!;
    }
  }
  return { frames, bins, re, im };
}

/**
 * The signal of a spectrogram whose bins are multiplied by `mask` (same layout), `samples` long. `window` is the root Hann
 * window of the analysis and `hop` a quarter of it, so that a mask of ones gives back the input.
 */
export function maskedInverse(
  spectrogram: Spectrogram,
  mask: Float32Array,
  fft: RealFft,
  window: Float32Array,
  hop: number,
  samples: number,
): Float32Array {
  const { frames, bins, re, im } = spectrogram;
  const size = fft.size;
  const out = new Float32Array(samples);
  for (let frame = 0; frame < frames; frame++) {
    const row = frame * bins;
    const spectrum = fft.spectrum;
    spectrum[0] = re[row]! * mask[row]!;
    spectrum[1] = re[row + bins - 1]! * mask[row + bins - 1]!;
    for (let bin = 1; bin < bins - 1; bin++) {
      const gain = mask[row + bin]!;
      spectrum[2 * bin] = re[row + bin]! * gain;
      spectrum[2 * bin + 1] = im[row + bin]! * gain;
    }
    fft.inverse();
    const time = fft.time;
    const start = (frame - 1) * hop - size / 2;
    const from = Math.max(0, -start);
    const to = Math.min(size, samples - start);
    for (let i = from; i < to; i++) out[start + i]! += time[i]! * window[i]! * 0.5;
  }
  return out;
}
