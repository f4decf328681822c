/**
 * True peaks: peaks between the samples, found by interpolation at four times the sample rate (ITU-R BS.1770-4, annex 2).
 */

/** Oversampling factor; BS.1770-4 requires four at 44.1 and 48 kHz. */
const OVERSAMPLING = 4;
/** Samples on each side of an interpolated value that contribute to it. */
export const INTERPOLATION_REACH = 12;

const TAPS = 2 * INTERPOLATION_REACH;

/** Kaiser-windowed sinc filters for the three positions between two samples, each with a gain of 1 at 0 Hz. */
function interpolators(): Float64Array[] {
  const beta = 7;
  const bessel0 = (x: number): number => {
    let sum = 1;
    let term = 1;
    for (let k = 1; k < 40; k++) {
      term *= (x / (2 * k)) ** 2;
      sum += term;
    }
    return sum;
  };
  return [1, 2, 3].map((phase) => {
    const taps = Float64Array.from({ length: TAPS }, (_, i) => {
      const distance = i - (INTERPOLATION_REACH - 1) - phase / OVERSAMPLING;
      const edge = distance / INTERPOLATION_REACH;
      const window = bessel0(beta * Math.sqrt(Math.max(0, 1 - edge * edge))) / bessel0(beta);
      return (Math.sin(Math.PI * distance) / (Math.PI * distance)) * window;
    });
    const sum = taps.reduce((a, b) => a + b, 0);
    return taps.map((tap) => tap / sum);
  });
}

const PHASES = interpolators();

/** Upper bound of an interpolated value, as a multiple of the largest sample that contributes to it. */
const GROWTH_BOUND = Math.max(...PHASES.map((phase) => phase.reduce((sum, tap) => sum + Math.abs(tap), 0)));

/** Largest magnitude at the three positions between samples `i` and `i + 1`. The signal is zero outside its bounds. */
function gapPeak(samples: Float32Array, i: number): number {
  const first = i - INTERPOLATION_REACH + 1;
  const from = first < 0 ? -first : 0;
  const to = Math.min(TAPS, samples.length - first);
  let peak = 0;
  for (const taps of PHASES) {
    let sum = 0;
    for (let k = from; k < to; k++) sum += taps[k]! * samples[first + k]!;
    const magnitude = sum < 0 ? -sum : sum;
    if (magnitude > peak) peak = magnitude;
  }
  return peak;
}

/**
 * Calls `visit(i, magnitude)` for each sample `i` of [from, to) that exceeds `floor()`, by itself or between `i` and `i + 1`.
 * Blocks that cannot exceed it are skipped without interpolation.
 */
function scan(
  samples: Float32Array,
  floor: () => number,
  visit: (i: number, magnitude: number) => void,
  from = 0,
  to = samples.length,
): void {
  const block = 64;
  for (let start = from; start < to; start += block) {
    const end = Math.min(to, start + block);
    let local = 0;
    const reachEnd = Math.min(samples.length, end + INTERPOLATION_REACH);
    for (let i = Math.max(0, start - INTERPOLATION_REACH); i < reachEnd; i++) {
      const magnitude = Math.abs(samples[i]!);
      if (magnitude > local) local = magnitude;
    }
    if (local * GROWTH_BOUND <= floor()) continue;
    for (let i = start; i < end; i++) {
      const magnitude = Math.max(Math.abs(samples[i]!), gapPeak(samples, i));
      if (magnitude > floor()) visit(i, magnitude);
    }
  }
}

/**
 * True peak of one channel as a linear magnitude (1 is full scale). Parts that cannot contain the peak are not interpolated,
 * which is about ten times faster for music than a full pass.
 */
export function truePeak(samples: Float32Array): number {
  let peak = 0;
  scan(
    samples,
    () => peak,
    (_, magnitude) => {
      peak = magnitude;
    },
  );
  return peak;
}

/** Measures the true peak of a stream in pieces of any length. The result equals `truePeak` of the whole signal. */
export class TruePeakMeter {
  /** End of the previous samples: `behind` samples that were scanned, then those that need their following neighbours. */
  private held = new Float32Array(0);
  private behind = 0;
  private peak = 0;

  /** Adds the next samples. */
  push(samples: Float32Array): void {
    const joined = new Float32Array(this.held.length + samples.length);
    joined.set(this.held);
    joined.set(samples, this.held.length);
    const to = Math.max(this.behind, joined.length - INTERPOLATION_REACH);
    this.scanUntil(joined, to);
    const keepFrom = Math.max(0, to - INTERPOLATION_REACH);
    this.held = joined.slice(keepFrom);
    this.behind = to - keepFrom;
  }

  /** Ends the stream. Returns its true peak as a linear magnitude. */
  finish(): number {
    this.scanUntil(this.held, this.held.length);
    return this.peak;
  }

  private scanUntil(samples: Float32Array, to: number): void {
    scan(
      samples,
      () => this.peak,
      (_, magnitude) => {
        this.peak = magnitude;
      },
      this.behind,
      to,
    );
  }
}

/**
 * Raises `into[i]` to the true-peak magnitude at sample `i` if that exceeds `floor`. A peak between two samples is written to
 * both. Only the peaks of samples [from, to), each up to its next sample, are looked for.
 */
export function markPeaks(
  samples: Float32Array,
  floor: number,
  into: Float32Array,
  from = 0,
  to = samples.length,
): void {
  scan(
    samples,
    () => floor,
    (i, magnitude) => {
      if (magnitude > into[i]!) into[i] = magnitude;
      if (i + 1 < into.length && magnitude > into[i + 1]!) into[i + 1] = magnitude;
    },
    from,
    to,
  );
}
