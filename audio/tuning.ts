/**
 * Tuning of a sound: how far its notes are from the equal-tempered scale with A = 440 Hz. The spectral peaks of all frames are
 * collected by their distance from the nearest note (after Dressler and Streich 2007, "Tuning frequency estimation using circular
 * statistics", and Gómez 2006).
 */

/** Range of the peaks, Hz. Below it, a spectrum of 186 ms does not separate notes; above it, there are more partials than notes. */
const LOW_HZ = 100;
const HIGH_HZ = 2000;
/** Steps of a semitone in the histogram: one cent. */
const STEPS = 100;
const PITCH_CLASSES = 12;
/** A peak counts if it is this much stronger than the spectrum beside its main lobe: noise and close notes are not. */
const PROMINENCE = 3;
const BESIDE_BINS = 3;
/** It counts if the frame before has one at most this far away, in cents: noise, drums and glides have not. */
const STABLE_CENTS = 10;
const STABLE_RATIO = 2 ** (STABLE_CENTS / 1200);
/** Standard deviation of the smoothing of the histogram, in cents. It joins the partials 2, 3, 4 and 6 of a note. */
const SMOOTHING_CENTS = 5;

/** `cents`: -50..50, above A = 440 Hz. `confidence`: 0..1; 1 if the notes of all pitch classes agree, 0 without notes. */
export type TuningEstimate = { cents: number; confidence: number };

/** Weight of stable spectral peaks by pitch class and by distance from the nearest note: twelve rows of `STEPS` values. */
export type TuningHistogram = Float32Array;

/** Collects the spectral peaks of a sound, frame by frame. */
export class TuningMeter {
  /** Peaks with their weights; grows by addition over sections of one sound. */
  readonly histogram: TuningHistogram = new Float32Array(PITCH_CLASSES * STEPS);
  /** Frequency of the peak at each spectral bin of the frame before and of this frame; 0 without a peak. */
  private before: Float32Array;
  private now: Float32Array;

  /** @param bins number of spectral bins of a frame */
  constructor(bins: number) {
    this.before = new Float32Array(bins + 2);
    this.now = new Float32Array(bins + 2);
  }

  /** Begins a frame. */
  nextFrame(): void {
    [this.before, this.now] = [this.now, this.before];
    this.now.fill(0);
  }

  /**
   * Adds a spectral peak of the current frame.
   * @param magnitudes the spectrum, of a Hann window
   * @param bin the spectral bin of the peak
   * @param hertz its interpolated frequency
   */
  addPeak(magnitudes: Float32Array, bin: number, hertz: number): void {
    if (hertz < LOW_HZ || hertz > HIGH_HZ) return;
    const beside = Math.max(magnitudes[bin - BESIDE_BINS] ?? 0, magnitudes[bin + BESIDE_BINS] ?? 0);
    if (magnitudes[bin]! < PROMINENCE * beside) return;
    this.now[bin] = hertz;
    if (!this.isStable(bin, hertz)) return;
    const note = PITCH_CLASSES * Math.log2(hertz / 440) + 9;
    const nearest = Math.round(note);
    const step = Math.min(STEPS - 1, Math.floor((note - nearest + 0.5) * STEPS));
    this.histogram[(((nearest % PITCH_CLASSES) + PITCH_CLASSES) % PITCH_CLASSES) * STEPS + step]! += Math.sqrt(
      magnitudes[bin]!,
    );
  }

  private isStable(bin: number, hertz: number): boolean {
    for (let near = bin - 1; near <= bin + 1; near++) {
      const other = this.before[near]!;
      if (other > 0 && other < hertz * STABLE_RATIO && other * STABLE_RATIO > hertz) return true;
    }
    return false;
  }
}

/** The histograms of two sounds together. */
export const addHistograms = (a: TuningHistogram, b: TuningHistogram): TuningHistogram =>
  a.map((value, i) => value + b[i]!);

/** Distance of two tunings in cents, 0..50: a semitone is a change of key and not of tuning. */
export function tuningDistance(a: number, b: number): number {
  return Math.abs(wrapCents(a - b));
}

/** The value between -50 and 50 that differs from `cents` by whole semitones. */
export const wrapCents = (cents: number): number => cents - 100 * Math.round(cents / 100);

/**
 * Estimates the tuning from collected peaks: the maximum of the smoothed histogram. Each pitch class counts with the root of its
 * weight, so that a drone or the resonance of a drum does not decide. The confidence is the agreement of the pitch classes beyond
 * what as many random ones would have. Without any, the tuning is 0.
 */
export function estimateTuning(histogram: TuningHistogram): TuningEstimate {
  const joined = new Float64Array(STEPS);
  let [real, imaginary, total, squares] = [0, 0, 0, 0];
  for (let pitch = 0; pitch < PITCH_CLASSES; pitch++) {
    const row = histogram.subarray(pitch * STEPS, (pitch + 1) * STEPS);
    const sum = row.reduce((a, b) => a + b, 0);
    if (sum <= 0) continue;
    const scale = 1 / Math.sqrt(sum);
    row.forEach((weight, step) => {
      const angle = (2 * Math.PI * (step + 0.5)) / STEPS;
      real += weight * scale * Math.cos(angle);
      imaginary += weight * scale * Math.sin(angle);
      joined[step]! += weight * scale;
    });
    total += Math.sqrt(sum);
    squares += sum;
  }
  if (total === 0) return { cents: 0, confidence: 0 };
  const classes = (total * total) / squares;
  const agreement = (real * real + imaginary * imaginary) / (total * total);
  const beyondChance = classes > 1 ? (agreement * classes - 1) / (classes - 1) : 0;
  if (beyondChance <= 0) return { cents: 0, confidence: 0 };
  return { cents: strongestStep(joined), confidence: Math.sqrt(Math.min(1, beyondChance)) };
}

/** Position of the maximum of a smoothed circular histogram, interpolated by a parabola, in cents from -50 to 50. */
function strongestStep(histogram: Float64Array): number {
  const kernel = Array.from({ length: STEPS }, (_, i) => {
    const distance = Math.min(i, STEPS - i);
    return Math.exp(-0.5 * (distance / SMOOTHING_CENTS) ** 2);
  });
  const smooth = Array.from({ length: STEPS }, (_, at) =>
    histogram.reduce((sum, weight, step) => sum + weight * kernel[(at - step + STEPS) % STEPS]!, 0),
  );
  const top = smooth.indexOf(Math.max(...smooth));
  const [left, middle, right] = [-1, 0, 1].map((by) => smooth[(top + by + STEPS) % STEPS]!) as [number, number, number];
  const bend = left - 2 * middle + right;
  const shift = bend === 0 ? 0 : (0.5 * (left - right)) / bend;
  return wrapCents(top + 0.5 + shift - STEPS / 2);
}
