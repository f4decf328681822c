/** Running medians of a time-frequency plane, over time and over frequency. */

/**
 * Median of each window of `2 * reach + 1` values along a line of `length` values that starts at `offset` with the given
 * `stride`. Beyond the ends the edge value is repeated. The window is kept sorted; each step replaces one value. `sorted` and `line`
 * are scratch memory.
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
  // A padded copy: strided reads and bounds checks would cost more than the sorting.
  for (let i = 0; i < length; i++) line[i + reach] = input[offset + i * stride]!;
  line.fill(line[reach]!, 0, reach);
  line.fill(line[length + reach - 1]!, length + reach, length + 2 * reach);
  for (let i = 0; i < size; i++) sorted[i] = line[i]!;
  sorted.sort();
  output[offset] = sorted[reach]!;
  for (let i = 1; i < length; i++) {
    const removed = line[i - 1]!;
    const added = line[i + 2 * reach]!;
    if (removed !== added) {
      let low = 0;
      let high = size - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (sorted[middle]! < removed) low = middle + 1;
        else high = middle;
      }
      if (added > removed) {
        while (low + 1 < size && sorted[low + 1]! < added) {
          sorted[low] = sorted[low + 1]!;
          low++;
        }
      } else {
        while (low > 0 && sorted[low - 1]! > added) {
          sorted[low] = sorted[low - 1]!;
          low--;
        }
      }
      sorted[low] = added;
    }
    output[offset + i * stride] = sorted[reach]!;
  }
}

/** A median filter over `2 * reach + 1` values, with scratch memory for lines of up to `length` values. */
export class MedianFilter {
  private readonly reach: number;
  private readonly sorted: Float32Array;
  private readonly line: Float32Array;

  constructor(reach: number, length: number) {
    this.reach = reach;
    this.sorted = new Float32Array(2 * reach + 1);
    this.line = new Float32Array(length + 2 * reach);
  }

  /** Medians of each column of a plane (`frames` rows) over time: harmonic sound. */
  overTime(plane: Float32Array, output: Float32Array, frames: number, columns: number): void {
    for (let column = 0; column < columns; column++) {
      medianLine(plane, output, column, columns, frames, this.reach, this.sorted, this.line);
    }
  }

  /** Medians of one frame over frequency: percussive sound. */
  overFrequency(row: Float32Array, output: Float32Array): void {
    medianLine(row, output, 0, 1, row.length, this.reach, this.sorted, this.line);
  }
}
