/** The WebAssembly kernel of separation (`kernel/separation.c`): medians and the repeating background, on planes in its memory. */
import { SEPARATION_WASM } from './kernel/separation-wasm.ts';

const PAGE = 65_536;
const ALIGNMENT = 16;
/** Values that the medians over frequency need beside a row. */
const ROW_PADDING = 48;
/** Values that the scores of frames need beside the frames. */
const SCORE_PADDING = 4;

type Exports = {
  memory: WebAssembly.Memory;
  __heap_base: WebAssembly.Global<'i32'>;
  medianOverTime: (plane: number, output: number, rows: number, columns: number) => void;
  medianOverFrequency: (row: number, output: number, columns: number, work: number) => void;
  background: (
    plane: number,
    output: number,
    bands: number,
    scores: number,
    frames: number,
    columns: number,
    width: number,
    gap: number,
  ) => void;
};

/** Similarity of frames: `frames` rows of bands (a multiple of four, scaled to unit length), and the least distance of similar ones. */
export type Similarity = { bands: Float32Array; frames: number; columns: number; gap: number };

/** A kernel with memory for the planes of one block. Its medians are over 17 values. */
export class SeparationKernel {
  private readonly exports: Exports;
  private readonly work: Float32Array;
  private readonly bands: Float32Array;
  private readonly planes: Float32Array[];
  private readonly columns: number;

  private constructor(exports: Exports, sizes: { planes: number; rows: number; columns: number; bands: number }) {
    this.exports = exports;
    const { planes, rows, columns, bands } = sizes;
    this.columns = columns;
    const lengths = [
      ...Array.from({ length: planes }, () => rows * columns),
      rows * bands,
      Math.max(columns + ROW_PADDING, rows + SCORE_PADDING),
    ];
    const { memory } = exports;
    let end = Math.ceil(Number(exports.__heap_base.value) / ALIGNMENT) * ALIGNMENT;
    const starts = lengths.map((length) => {
      const start = end;
      end = Math.ceil((end + 4 * length) / ALIGNMENT) * ALIGNMENT;
      return start;
    });
    memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / PAGE)));
    const views = lengths.map((length, i) => new Float32Array(memory.buffer, starts[i], length));
    this.planes = views.slice(0, planes);
    this.bands = views[planes]!;
    this.work = views[planes + 1]!;
  }

  /** Allocates `planes` planes of up to `rows` rows, and rows of `bands` bands. */
  static async create(sizes: {
    planes: number;
    rows: number;
    columns: number;
    bands: number;
  }): Promise<SeparationKernel> {
    const { instance } = await WebAssembly.instantiate(SEPARATION_WASM);
    return new SeparationKernel(instance.exports as Exports, sizes);
  }

  /** A plane in the kernel's memory. */
  plane(index: number): Float32Array {
    return this.planes[index]!;
  }

  /** Medians of each column over time: harmonic sound. */
  medianOverTime(plane: Float32Array, output: Float32Array, rows: number): void {
    this.exports.medianOverTime(plane.byteOffset, output.byteOffset, rows, this.columns);
  }

  /** Medians of one row over frequency: percussive sound. */
  medianOverFrequency(row: Float32Array, output: Float32Array): void {
    this.exports.medianOverFrequency(row.byteOffset, output.byteOffset, row.length, this.work.byteOffset);
  }

  /** The median of each value of `plane` over the most similar frames, at most the value itself. */
  background(plane: Float32Array, output: Float32Array, { bands, frames, columns, gap }: Similarity): void {
    const { exports, work } = this;
    this.bands.set(bands);
    const width = bands.length / frames;
    const [own, scores] = [this.bands.byteOffset, work.byteOffset];
    exports.background(plane.byteOffset, output.byteOffset, own, scores, frames, columns, width, gap);
  }
}
