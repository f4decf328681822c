/** Real FFTs on WebAssembly SIMD (PFFFT). Sizes are multiples of 32 that factor into 2, 3 and 5. */
import createPffft from '@echogarden/pffft-wasm/simd';

type Pffft = Awaited<ReturnType<typeof createPffft>>;

const REAL = 0;
const FORWARD = 0;
const BACKWARD = 1;

let loading: Promise<Pffft> | null = null;

/**
 * A real transform of one size. `forward` reads `size` samples from `time` and fills `spectrum`; `inverse` does the opposite and
 * scales by 1 / size. `spectrum` holds size / 2 pairs (re, im) of bins 0 … size / 2 - 1; the imaginary part of bin 0 is the
 * real value of bin size / 2. Both arrays are views of WebAssembly memory and are overwritten by the next transform.
 */
export class RealFft {
  readonly size: number;
  private readonly module: Pffft;
  private readonly setup: number;
  private readonly timePointer: number;
  private readonly spectrumPointer: number;
  private readonly workPointer: number;
  private timeView: Float32Array;
  private spectrumView: Float32Array;

  private constructor(module: Pffft, size: number) {
    this.module = module;
    this.size = size;
    this.setup = module._pffft_new_setup(size, REAL);
    if (this.setup === 0) throw new RangeError(`No FFT of size ${size}.`);
    this.timePointer = module._pffft_aligned_malloc(size * 4);
    this.spectrumPointer = module._pffft_aligned_malloc(size * 4);
    this.workPointer = module._pffft_aligned_malloc(size * 4);
    this.timeView = this.view(this.timePointer);
    this.spectrumView = this.view(this.spectrumPointer);
  }

  /**
   * Allocates a transform of `size` samples.
   * @throws RangeError if PFFFT has no transform of that size
   */
  static async create(size: number): Promise<RealFft> {
    loading ??= createPffft();
    return new RealFft(await loading, size);
  }

  private view(pointer: number): Float32Array {
    return new Float32Array(this.module.HEAPF32.buffer, pointer, this.size);
  }

  // Creating another transform may grow the memory, which detaches the views.

  /** `size` samples. */
  get time(): Float32Array {
    if (this.timeView.length === 0) this.timeView = this.view(this.timePointer);
    return this.timeView;
  }

  /** `size` values: size / 2 complex bins. */
  get spectrum(): Float32Array {
    if (this.spectrumView.length === 0) this.spectrumView = this.view(this.spectrumPointer);
    return this.spectrumView;
  }

  /** From `time` to `spectrum`, not scaled. */
  forward(): void {
    this.module._pffft_transform_ordered(this.setup, this.timePointer, this.spectrumPointer, this.workPointer, FORWARD);
  }

  /** From `spectrum` to `time`, scaled by 1 / size. */
  inverse(): void {
    this.module._pffft_transform_ordered(
      this.setup,
      this.spectrumPointer,
      this.timePointer,
      this.workPointer,
      BACKWARD,
    );
    const time = this.time;
    const scale = 1 / this.size;
    for (let i = 0; i < time.length; i++) time[i]! *= scale;
  }

  /** Releases the memory. The transform must not be used afterwards. */
  free(): void {
    this.module._pffft_destroy_setup(this.setup);
    for (const pointer of [this.timePointer, this.spectrumPointer, this.workPointer]) {
      this.module._pffft_aligned_free(pointer);
    }
  }
}

/** A periodic Hann window of `size` samples. */
export function hannWindow(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
}

/** Square root of a periodic Hann window. Applied before and after a transform with a hop of size / 4, it sums to two. */
export function rootHann(size: number): Float32Array {
  return hannWindow(size).map(Math.sqrt);
}
