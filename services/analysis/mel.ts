/** Mel bands and cepstra. */

const hertzToMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const melToHertz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** A triangular band: `weights[i]` belongs to bin `first + i`. Weights have unit area in hertz (Slaney). */
export type MelBand = { first: number; weights: Float32Array };

/** `count` mel bands between `lowHz` and `highHz` for spectra with bins `binHz` apart. */
export function melBands(count: number, lowHz: number, highHz: number, binHz: number): MelBand[] {
  const low = hertzToMel(lowHz);
  const step = (hertzToMel(highHz) - low) / (count + 1);
  const edges = Array.from({ length: count + 2 }, (_, i) => melToHertz(low + i * step));
  return Array.from({ length: count }, (_, band) => {
    const [from, middle, to] = [edges[band]!, edges[band + 1]!, edges[band + 2]!];
    const first = Math.ceil(from / binHz);
    const last = Math.max(first, Math.floor(to / binHz));
    const weights = Float32Array.from({ length: last - first + 1 }, (_, i) => {
      const hertz = (first + i) * binHz;
      const rise = (hertz - from) / (middle - from);
      const fall = (to - hertz) / (to - middle);
      return (Math.max(0, Math.min(rise, fall)) * 2) / (to - from);
    });
    // Low bands can be narrower than a bin. They use the nearest one.
    if (!weights.some((weight) => weight > 0)) {
      return { first: Math.round(middle / binHz), weights: Float32Array.of(1 / binHz) };
    }
    return { first, weights };
  });
}

/** The first `count` values of the orthonormal DCT-II. */
export function dct(values: ArrayLike<number>, count: number): number[] {
  const n = values.length;
  return Array.from({ length: count }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[i]! * Math.cos((Math.PI * k * (2 * i + 1)) / (2 * n));
    return sum * Math.sqrt((k === 0 ? 1 : 2) / n);
  });
}
