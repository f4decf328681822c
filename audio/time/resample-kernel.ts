/** The WebAssembly kernel of sample-rate conversion (`kernel/resample.c`). All callers of a thread share one instance. */
import { RESAMPLE_WASM } from './kernel/resample-wasm.ts';

const PAGE = 65_536;

type Exports = {
  memory: WebAssembly.Memory;
  __heap_base: WebAssembly.Global<'i32'>;
  resample: (
    taps: number,
    input: number,
    output: number,
    count: number,
    length: number,
    at: number,
    phase: number,
    up: number,
    down: number,
  ) => void;
};

/** A polyphase filter: `length` taps (a multiple of 4) for each of `up` phases; an output sample is `down` / `up` input samples. */
export type Polyphase = { taps: Float32Array; length: number; up: number; down: number };

let shared: { exports: Exports; base: number } | undefined;
/** The filter whose taps are in memory. */
let loaded: Polyphase | undefined;

function kernel(): { exports: Exports; base: number } {
  if (shared) return shared;
  const exports = new WebAssembly.Instance(new WebAssembly.Module(RESAMPLE_WASM)).exports as Exports;
  shared = { exports, base: Math.ceil(Number(exports.__heap_base.value) / 16) * 16 };
  return shared;
}

/**
 * Returns `count` samples: the first one is the product of the input from `at` on with the taps of `phase`. `at` must leave room for
 * the taps of the last one.
 */
export function runPolyphase(
  filter: Polyphase,
  input: Float32Array,
  { count, at, phase }: { count: number; at: number; phase: number },
): Float32Array {
  if (count === 0) return new Float32Array(0);
  const { exports, base } = kernel();
  const { memory } = exports;
  const inputAt = base + 4 * filter.taps.length;
  const outputAt = inputAt + 4 * input.length;
  const missing = outputAt + 4 * count - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  if (loaded !== filter) new Float32Array(memory.buffer, base, filter.taps.length).set(filter.taps);
  loaded = filter;
  new Float32Array(memory.buffer, inputAt, input.length).set(input);
  exports.resample(base, inputAt, outputAt, count, filter.length, at, phase, filter.up, filter.down);
  return new Float32Array(memory.buffer, outputAt, count).slice();
}
