/** Chroma and tuning: the strength of the twelve pitch classes over time, how well those of two sounds agree, and the tuning. */
import { hannWindow, RealFft } from '../../../audio/fft.ts';
import { type TuningHistogram, TuningMeter } from '../../../audio/tuning.ts';

const FFT_SIZE = 8192;
/** Samples between two rows of chroma: 93 ms. */
export const CHROMA_HOP = 4096;
const LOW_HZ = 65;
const HIGH_HZ = 2100;
/** Values in a row of chroma, from C to B. */
export const PITCH_CLASSES = 12;
/** Middle C, Hz. */
const REFERENCE_HZ = 261.6256;

let transform: Promise<RealFft> | undefined;

/** Rows of `PITCH_CLASSES` values (C first), one for each `CHROMA_HOP` samples, and the spectral peaks by tuning. */
export type NoteMeasurement = { chroma: Float32Array; tuning: TuningHistogram };

/**
 * Measures the chroma and the tuning of a sound of one channel. Each spectral peak counts with the square root of its magnitude, shared
 * between the two nearest pitch classes (after Gómez 2006).
 * @param tunedTo tuning of the pitch classes, in cents above A = 440 Hz
 */
export async function measureNotes(mono: Float32Array, sampleRate: number, tunedTo: number): Promise<NoteMeasurement> {
  const fft = await (transform ??= RealFft.create(FFT_SIZE));
  const window = hannWindow(FFT_SIZE);
  const rows = Math.max(0, Math.floor(mono.length / CHROMA_HOP));
  const chroma = new Float32Array(rows * PITCH_CLASSES);
  const binHz = sampleRate / FFT_SIZE;
  const last = Math.floor(HIGH_HZ / binHz);
  const magnitude = new Float32Array(last + 2);
  const meter = new TuningMeter(magnitude.length);
  const reference = REFERENCE_HZ * 2 ** (tunedTo / 1200);
  for (let row = 0; row < rows; row++) {
    const from = row * CHROMA_HOP + CHROMA_HOP / 2 - FFT_SIZE / 2;
    const time = fft.time;
    for (let i = 0; i < FFT_SIZE; i++) time[i] = (mono[from + i] ?? 0) * window[i]!;
    fft.forward();
    const spectrum = fft.spectrum;
    for (let bin = 1; bin < magnitude.length; bin++) {
      magnitude[bin] = Math.hypot(spectrum[2 * bin]!, spectrum[2 * bin + 1]!);
    }
    meter.nextFrame();
    for (let bin = Math.ceil(LOW_HZ / binHz); bin <= last; bin++) {
      const [a, b, c] = [magnitude[bin - 1]!, magnitude[bin]!, magnitude[bin + 1]!];
      if (b <= a || b < c || b < 1e-3) continue;
      const [la, lb, lc] = [Math.log(a + 1e-9), Math.log(b), Math.log(c + 1e-9)];
      const shift = (0.5 * (la - lc)) / (la - 2 * lb + lc || 1);
      const hertz = (bin + Math.max(-0.5, Math.min(0.5, shift))) * binHz;
      const note = PITCH_CLASSES * Math.log2(hertz / reference);
      const below = Math.floor(note);
      const weight = Math.sqrt(b);
      const upper = note - below;
      meter.addPeak(magnitude, bin, hertz);
      chroma[row * PITCH_CLASSES + modulo12(below)]! += weight * (1 - upper);
      chroma[row * PITCH_CLASSES + modulo12(below + 1)]! += weight * upper;
    }
  }
  return { chroma, tuning: meter.histogram };
}

const modulo12 = (n: number): number => ((n % PITCH_CLASSES) + PITCH_CLASSES) % PITCH_CLASSES;

/**
 * Pearson correlation, -1..1, of two profiles of twelve pitch classes, the first transposed up by `raisedBy` semitones. It is 0 if
 * one of them is flat.
 */
export function profileCorrelation(a: readonly number[], b: readonly number[], raisedBy = 0): number {
  const meanA = a.reduce((sum, value) => sum + value, 0) / PITCH_CLASSES;
  const meanB = b.reduce((sum, value) => sum + value, 0) / PITCH_CLASSES;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let pitch = 0; pitch < PITCH_CLASSES; pitch++) {
    const x = a[modulo12(pitch - raisedBy)]! - meanA;
    const y = b[pitch]! - meanB;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
