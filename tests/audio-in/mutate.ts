/** Reproducible damage to files. */

/** A reproducible stream of whole numbers below a limit (mulberry32). */
export function numbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Bytes at the start of a file in which its headers are. */
const HEADER_BYTES = 200;

const DAMAGE: readonly ((file: Uint8Array, below: (limit: number) => number) => Uint8Array)[] = [
  // Bits flip anywhere.
  (file, below) => {
    for (let i = 0; i <= below(40); i++) file[below(file.length)]! ^= 1 << below(8);
    return file;
  },
  // Headers say something else.
  (file, below) => {
    for (let i = 0; i <= below(6); i++) file[below(Math.min(file.length, HEADER_BYTES))] = below(256);
    return file;
  },
  // Lengths and rates are all ones or all zeros.
  (file, below) => file.fill(below(2) * 255, below(HEADER_BYTES), below(HEADER_BYTES)),
  // A download ends early.
  (file, below) => file.slice(0, below(file.length)),
  // A piece is missing.
  (file, below) => {
    const at = below(file.length);
    return Uint8Array.from([...file.subarray(0, at), ...file.subarray(at + below(file.length / 4))]);
  },
  // A piece comes twice.
  (file, below) => {
    const at = below(file.length);
    return Uint8Array.from([...file.subarray(0, at), ...file.subarray(at >> 1)]);
  },
  // A stretch is noise.
  (file, below) => {
    const at = below(file.length);
    for (let i = at; i < Math.min(file.length, at + below(5000)); i++) file[i] = below(256);
    return file;
  },
  // A stretch is empty.
  (file, below) => {
    const at = below(file.length);
    return file.fill(0, at, at + below(5000));
  },
  // Something stands before it.
  (file, below) => Uint8Array.from([...Array.from({ length: below(3000) }, () => below(256)), ...file]),
];

/** A damaged copy of `file`; the same seed gives the same damage. */
export function mutate(file: Uint8Array, seed: number): Uint8Array {
  const below = numbers(seed);
  let damaged: Uint8Array = file.slice();
  for (let i = 0; i <= below(3) && damaged.length > 0; i++) damaged = DAMAGE[below(DAMAGE.length)]!(damaged, below);
  return damaged;
}
