/** Test signals and what is measured on them. */

/** Decibels to a linear factor. */
export const db = (decibels: number): number => 10 ** (decibels / 20);

/** A sine of `seconds`; `phase` in radians. */
export function sine(hertz: number, seconds: number, sampleRate: number, amplitude: number, phase = 0): Float32Array {
  return Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / sampleRate + phase),
  );
}

/** White noise of the linear congruential kind, the same for the same seed. */
export function noise(seconds: number, sampleRate: number, amplitude: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: Math.round(seconds * sampleRate) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return amplitude * (state / 2 ** 31 - 1);
  });
}
