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

/** Filters `samples` in place. `at(i)` returns the coefficients for the `step` samples from index `i`. */
function run(samples: Float32Array, at: (i: number) => Coefficients, step: number): void {
  let s1 = 0;
  let s2 = 0;
  for (let start = 0; start < samples.length; start += step) {
    const { b0, b1, b2, a1, a2 } = at(start);
    const end = Math.min(samples.length, start + step);
    for (let i = start; i < end; i++) {
      const x = samples[i]!;
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      samples[i] = y;
    }
    // Denormal numbers are slow and inaudible.
    if (Math.abs(s1) < 1e-20) s1 = 0;
    if (Math.abs(s2) < 1e-20) s2 = 0;
  }
}

/** Filters channels in place. */
export function applyFilter(channels: Float32Array[], sampleRate: number, spec: FilterSpec): void {
  const fixed = coefficients(spec, sampleRate);
  for (const samples of channels) run(samples, () => fixed, Math.max(1, samples.length));
}

/** Filters channels in place with a frequency (Hz) that depends on the sample index. */
export function applyMovingFilter(
  channels: Float32Array[],
  sampleRate: number,
  spec: Omit<FilterSpec, 'frequency'>,
  frequencyAt: (i: number) => number,
): void {
  for (const samples of channels) {
    run(samples, (i) => coefficients({ ...spec, frequency: frequencyAt(i) }, sampleRate), SWEEP_STEP);
  }
}
