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

/** Room that a median filter works in, for lines up to `length` long. */
export class MedianFilter {
  private readonly reach: number;
  private readonly sorted: Float32Array;
  private readonly line: Float32Array;

  constructor(reach: number, length: number) {
    this.reach = reach;
    this.sorted = new Float32Array(2 * reach + 1);
    this.line = new Float32Array(length + 2 * reach);
  }

  /** Medians over `2 * reach + 1` frames of each column of a plane: what lasts. */
  overTime(plane: Float32Array, output: Float32Array, frames: number, columns: number): void {
    for (let column = 0; column < columns; column++) {
      medianLine(plane, output, column, columns, frames, this.reach, this.sorted, this.line);
    }
  }

  /** Medians over `2 * reach + 1` neighbours in one frame: what is broad. */
  overFrequency(row: Float32Array, output: Float32Array): void {
    medianLine(row, output, 0, 1, row.length, this.reach, this.sorted, this.line);
  }
}
