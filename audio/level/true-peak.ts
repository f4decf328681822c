/**
 * Peaks between the samples, as a converter will make them: interpolation at four times the sample rate
 * (ITU-R BS.1770-4, annex 2).
 */

/** Fine positions between two samples; BS.1770-4 asks for four at 44.1 and 48 kHz. */
const OVERSAMPLING = 4;
/** Samples on each side of a gap that take part in its interpolation. */
const INTERPOLATION_REACH = 12;

const TAPS = 2 * INTERPOLATION_REACH;

/** Kaiser-windowed sinc for the three inner positions, each scaled to pass a constant unchanged. */
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

/** No interpolated value exceeds this multiple of the largest sample in reach. */
const GROWTH_BOUND = Math.max(...PHASES.map((phase) => phase.reduce((sum, tap) => sum + Math.abs(tap), 0)));

/** Largest magnitude at the three fine positions between samples `i` and `i + 1`; outside the signal is silence. */
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
 * Calls `visit(i, magnitude)` wherever sample `i` of [from, to), or the curve between `i` and `i + 1`, may exceed `floor()`.
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
 * True peak of one channel as a linear magnitude (1 is full scale). Parts that cannot hold the peak are not
 * interpolated, which makes music about ten times cheaper than a full pass.
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

/** True peak of a stream, in pieces of any length; the same figure as of the whole. */
export class TruePeakMeter {
  /** The end of what came before: `behind` samples that were looked at, then those that wait for their right neighbours. */
  private held = new Float32Array(0);
  private behind = 0;
  private peak = 0;

  push(samples: Float32Array): void {
    const joined = new Float32Array(this.held.length + samples.length);
    joined.set(this.held);
    joined.set(samples, this.held.length);
    const to = Math.max(this.behind, joined.length - INTERPOLATION_REACH);
    this.look(joined, to);
    const keepFrom = Math.max(0, to - INTERPOLATION_REACH);
    this.held = joined.slice(keepFrom);
    this.behind = to - keepFrom;
  }

  /** True peak of all that was pushed, as a linear magnitude. */
  finish(): number {
    this.look(this.held, this.held.length);
    return this.peak;
  }

  private look(samples: Float32Array, to: number): void {
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
 * Raises `into[i]` to the true-peak magnitude around sample `i` where that exceeds `floor`; a peak between two samples
 * counts for both.
 */
export function markPeaks(samples: Float32Array, floor: number, into: Float32Array): void {
  scan(
    samples,
    () => floor,
    (i, magnitude) => {
      if (magnitude > into[i]!) into[i] = magnitude;
      if (i + 1 < into.length && magnitude > into[i + 1]!) into[i + 1] = magnitude;
    },
  );
}
