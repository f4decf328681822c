/* The kernel of sample-rate conversion: dot products of the input with the filter of each phase. */
#include <wasm_simd128.h>

/*
 * Writes `count` samples. Sample 0 is the product of `length` (a multiple of 4) input samples from `at` on with the taps of `phase`;
 * each next one is down / up input samples later. `taps` has `length` values for each of the `up` phases.
 */
__attribute__((export_name("resample"))) void resample(
  const float *taps, const float *input, float *output, int count, int length, int at, int phase, int up, int down
) {
  int whole = down / up, rest = down % up;
  for (int i = 0; i < count; i++) {
    const float *t = taps + phase * length, *x = input + at;
    v128_t a = wasm_f32x4_splat(0), b = a;
    int k = 0;
    for (; k + 8 <= length; k += 8) {
      a = wasm_f32x4_add(a, wasm_f32x4_mul(wasm_v128_load(t + k), wasm_v128_load(x + k)));
      b = wasm_f32x4_add(b, wasm_f32x4_mul(wasm_v128_load(t + k + 4), wasm_v128_load(x + k + 4)));
    }
    if (k < length) a = wasm_f32x4_add(a, wasm_f32x4_mul(wasm_v128_load(t + k), wasm_v128_load(x + k)));
    a = wasm_f32x4_add(a, b);
    output[i] = (wasm_f32x4_extract_lane(a, 0) + wasm_f32x4_extract_lane(a, 1)) +
                (wasm_f32x4_extract_lane(a, 2) + wasm_f32x4_extract_lane(a, 3));
    at += whole, phase += rest;
    if (phase >= up) phase -= up, at++;
  }
}
