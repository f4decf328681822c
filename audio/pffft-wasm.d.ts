declare module '@echogarden/pffft-wasm/simd' {
  /** The Emscripten module of PFFFT; pointers are byte offsets in its memory. */
  type Pffft = {
    readonly HEAPF32: Float32Array;
    _pffft_new_setup(size: number, kind: number): number;
    _pffft_destroy_setup(setup: number): void;
    _pffft_transform_ordered(setup: number, input: number, output: number, work: number, direction: number): void;
    _pffft_aligned_malloc(bytes: number): number;
    _pffft_aligned_free(pointer: number): void;
  };
  export default function createPffft(): Promise<Pffft>;
}
