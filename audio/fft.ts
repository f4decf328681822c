/** Real FFTs on WebAssembly SIMD (PFFFT). Sizes are multiples of 32 that factor into 2, 3 and 5. */
import createPffft from '@echogarden/pffft-wasm/simd';

type Pffft = Awaited<ReturnType<typeof createPffft>>;

const REAL = 0;
const FORWARD = 0;
const BACKWARD = 1;

let loading: Promise<Pffft> | null = null;

/**
 * A transform of one size. `forward` reads `size` samples from `time` and fills `spectrum`; `inverse` goes back and scales by
 * 1 / size. `spectrum` holds size / 2 pairs (re, im) of bins 0 … size / 2 - 1; the imaginary part of bin 0 is the real
 * value of bin size / 2. Both arrays live in WebAssembly memory: read and write them, but do not keep their content.
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

  /** @throws RangeError if PFFFT has no transform of that size. */
  static async create(size: number): Promise<RealFft> {
    loading ??= createPffft();
    return new RealFft(await loading, size);
  }

  private view(pointer: number): Float32Array {
    return new Float32Array(this.module.HEAPF32.buffer, pointer, this.size);
  }

  // Views detach when the memory grows, which another transform's creation may cause.
  get time(): Float32Array {
    if (this.timeView.length === 0) this.timeView = this.view(this.timePointer);
    return this.timeView;
  }

  get spectrum(): Float32Array {
    if (this.spectrumView.length === 0) this.spectrumView = this.view(this.spectrumPointer);
    return this.spectrumView;
  }

  forward(): void {
    this.module._pffft_transform_ordered(this.setup, this.timePointer, this.spectrumPointer, this.workPointer, FORWARD);
  }

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

  /** Gives the memory back; the transform must not be used afterwards. */
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

/** Square root of a Hann window: used before and after, hops of a quarter of it add up to two. */
export function rootHann(size: number): Float32Array {
  return hannWindow(size).map(Math.sqrt);
}
