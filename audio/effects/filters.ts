/** Second-order filters (R. Bristow-Johnson, Audio EQ Cookbook) with a fixed or moving frequency. */

/** Shape of a filter. */
export type FilterKind = 'low-pass' | 'high-pass' | 'band-pass' | 'peak' | 'low-shelf' | 'high-shelf';

/** Settings of a filter. */
export type FilterSpec = {
  kind: FilterKind;
  /** Cut-off or centre frequency, Hz. */
  frequency: number;
  /** Resonance of a low-pass or high-pass filter, width of the others. Default 0.7071: no resonance. */
  q?: number;
  /** Gain of peak and shelf filters. Default 0. */
  gainDb?: number;
};

type Coefficients = { b0: number; b1: number; b2: number; a1: number; a2: number };

/** Samples between two updates of a moving filter's coefficients. */
const SWEEP_STEP = 64;
const LOWEST_HZ = 10;

function coefficients(spec: FilterSpec, sampleRate: number): Coefficients {
  const frequency = Math.min(Math.max(spec.frequency, LOWEST_HZ), sampleRate * 0.47);
  const w = (2 * Math.PI * frequency) / sampleRate;
  const cos = Math.cos(w);
  const alpha = Math.sin(w) / (2 * (spec.q ?? Math.SQRT1_2));
  const a = 10 ** ((spec.gainDb ?? 0) / 40);
  const normal = (b0: number, b1: number, b2: number, a0: number, a1: number, a2: number): Coefficients => ({
    b0: b0 / a0,
    b1: b1 / a0,
    b2: b2 / a0,
    a1: a1 / a0,
    a2: a2 / a0,
  });
  const root = 2 * Math.sqrt(a) * alpha;
  switch (spec.kind) {
    case 'low-pass':
      return normal((1 - cos) / 2, 1 - cos, (1 - cos) / 2, 1 + alpha, -2 * cos, 1 - alpha);
    case 'high-pass':
      return normal((1 + cos) / 2, -1 - cos, (1 + cos) / 2, 1 + alpha, -2 * cos, 1 - alpha);
    case 'band-pass':
      return normal(alpha, 0, -alpha, 1 + alpha, -2 * cos, 1 - alpha);
    case 'peak':
      return normal(1 + alpha * a, -2 * cos, 1 - alpha * a, 1 + alpha / a, -2 * cos, 1 - alpha / a);
    case 'low-shelf':
      return normal(
        a * (a + 1 - (a - 1) * cos + root),
        2 * a * (a - 1 - (a + 1) * cos),
        a * (a + 1 - (a - 1) * cos - root),
        a + 1 + (a - 1) * cos + root,
        -2 * (a - 1 + (a + 1) * cos),
        a + 1 + (a - 1) * cos - root,
      );
    case 'high-shelf':
      return normal(
        a * (a + 1 + (a - 1) * cos + root),
        -2 * a * (a - 1 + (a + 1) * cos),
        a * (a + 1 + (a - 1) * cos - root),
        a + 1 - (a - 1) * cos + root,
        2 * (a - 1 - (a + 1) * cos),
        a + 1 - (a - 1) * cos - root,
      );
  }
}

/** A filter with its memory of the samples before. */
class FilterState {
  coefficients: Coefficients;
  #s1 = 0;
  #s2 = 0;

  constructor(fixed: Coefficients) {
    this.coefficients = fixed;
  }

  /** Filters the next `samples` in place. */
  run(samples: Float32Array): void {
    const { b0, b1, b2, a1, a2 } = this.coefficients;
    let s1 = this.#s1;
    let s2 = this.#s2;
    for (let i = 0; i < samples.length; i++) {
      const x = samples[i]!;
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      samples[i] = y;
    }
    this.#keep(s1, s2);
  }

  /** Filters the next `samples` in place, and then by `second`: as two runs, in half the time, since neither waits for the other. */
  runBoth(samples: Float32Array, second: FilterState): void {
    const { b0, b1, b2, a1, a2 } = this.coefficients;
    const { b0: c0, b1: c1, b2: c2, a1: d1, a2: d2 } = second.coefficients;
    let [s1, s2, t1, t2] = [this.#s1, this.#s2, second.#s1, second.#s2];
    for (let i = 0; i < samples.length; i++) {
      const x = samples[i]!;
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      const between = Math.fround(y);
      const z = c0 * between + t1;
      t1 = c1 * between - d1 * z + t2;
      t2 = c2 * between - d2 * z;
      samples[i] = z;
    }
    this.#keep(s1, s2);
    second.#keep(t1, t2);
  }

  #keep(s1: number, s2: number): void {
    // Denormal numbers are slow and inaudible.
    this.#s1 = Math.abs(s1) < 1e-20 ? 0 : s1;
    this.#s2 = Math.abs(s2) < 1e-20 ? 0 : s2;
  }
}

/** Filters that follow one another, for one channel that comes in blocks. */
export class FilterChain {
  readonly #filters: FilterState[];

  constructor(sampleRate: number, specs: readonly FilterSpec[]) {
    this.#filters = specs.map((spec) => new FilterState(coefficients(spec, sampleRate)));
  }

  /** Filters the next `samples` in place. */
  process(samples: Float32Array): void {
    for (let i = 0; i < this.#filters.length; i += 2) {
      const second = this.#filters[i + 1];
      if (second) this.#filters[i]!.runBoth(samples, second);
      else this.#filters[i]!.run(samples);
    }
  }
}

/** Filters two equally long channels in place: as one after the other, in half the time, since neither waits for the other. */
function runStereo(left: Float32Array, right: Float32Array, { b0, b1, b2, a1, a2 }: Coefficients): void {
  let [s1, s2, t1, t2] = [0, 0, 0, 0];
  for (let i = 0; i < left.length; i++) {
    const x = left[i]!;
    const y = b0 * x + s1;
    s1 = b1 * x - a1 * y + s2;
    s2 = b2 * x - a2 * y;
    left[i] = y;
    const u = right[i]!;
    const v = b0 * u + t1;
    t1 = b1 * u - a1 * v + t2;
    t2 = b2 * u - a2 * v;
    right[i] = v;
  }
}

/** Filters channels in place. */
export function applyFilter(channels: readonly Float32Array[], sampleRate: number, spec: FilterSpec): void {
  const fixed = coefficients(spec, sampleRate);
  const [left, right] = channels;
  if (left && right && channels.length === 2 && left.length === right.length) runStereo(left, right, fixed);
  else for (const samples of channels) new FilterState(fixed).run(samples);
}

/** Filters channels in place with a frequency (Hz) that depends on the sample index. */
export function applyMovingFilter(
  channels: Float32Array[],
  sampleRate: number,
  spec: Omit<FilterSpec, 'frequency'>,
  frequencyAt: (i: number) => number,
): void {
  for (const samples of channels)
    runMoving(samples, (i) => coefficients({ ...spec, frequency: frequencyAt(i) }, sampleRate));
}

/** Filters `samples` in place. `at(i)` returns the coefficients for the `SWEEP_STEP` samples from index `i`. */
function runMoving(samples: Float32Array, at: (i: number) => Coefficients): void {
  const filter = new FilterState(at(0));
  for (let start = 0; start < samples.length; start += SWEEP_STEP) {
    filter.coefficients = at(start);
    filter.run(samples.subarray(start, start + SWEEP_STEP));
  }
}
