/** Running medians of a time-frequency plane, along time and along frequency. */

/**
 * Median of each window of `2 * reach + 1` values along a line of `length` values that starts at `offset` with the given
 * `stride`; at the ends the edge value repeats. The window is kept sorted: one value leaves, one comes in. `sorted` and
 * `line` are room to work in.
 */
function medianLine(
  input: Float32Array,
  output: Float32Array,
  offset: number,
  stride: number,
  length: number,
  reach: number,
  sorted: Float32Array,
  line: Float32Array,
): void {
  const size = 2 * reach + 1;
  // A padded copy: strided reads and checks of the ends would cost more than the sorting.
  for (let i = 0; i < length; i++) line[i + reach] = input[offset + i * stride]!;
  line.fill(line[reach]!, 0, reach);
  line.fill(line[length + reach - 1]!, length + reach, length + 2 * reach);
  for (let i = 0; i < size; i++) sorted[i] = line[i]!;
  sorted.sort();
  output[offset] = sorted[reach]!;
  for (let i = 1; i < length; i++) {
    const leaving = line[i - 1]!;
    const coming = line[i + 2 * reach]!;
    if (leaving !== coming) {
      let low = 0;
      let high = size - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sorted[middle]! < leaving) low = middle + 1;
        else high = middle;
      }
      if (coming > leaving) {
        while (low + 1 < size && sorted[low + 1]! < coming) {
          sorted[low] = sorted[low + 1]!;
          low++;
        }
      } else {
        while (low > 0 && sorted[low - 1]! > coming) {
          sorted[low] = sorted[low - 1]!;
          low--;
        }
      }
      sorted[low] = coming;
    }
    output[offset + i * stride] = sorted[reach]!;
  }
}

/** Medians over `2 * reach + 1` frames of each bin: what lasts. `plane` holds frames of `bins` values. */
export function medianOverTime(plane: Float32Array, frames: number, bins: number, reach: number): Float32Array {
  const output = new Float32Array(plane.length);
  const sorted = new Float32Array(2 * reach + 1);
  const line = new Float32Array(frames + 2 * reach);
  for (let bin = 0; bin < bins; bin++) medianLine(plane, output, bin, bins, frames, reach, sorted, line);
  return output;
}

/** Medians over `2 * reach + 1` bins of each frame: what is broad. */
export function medianOverFrequency(plane: Float32Array, frames: number, bins: number, reach: number): Float32Array {
  const output = new Float32Array(plane.length);
  const sorted = new Float32Array(2 * reach + 1);
  const line = new Float32Array(bins + 2 * reach);
  for (let frame = 0; frame < frames; frame++) medianLine(plane, output, frame * bins, 1, bins, reach, sorted, line);
  return output;
}
