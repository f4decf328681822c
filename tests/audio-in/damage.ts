/** Damages files reproducibly. */

/** A reproducible generator of integers below a limit (mulberry32). */
export function numbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Bytes at the start of a file that contain its headers. */
const HEADER_BYTES = 200;

const METHODS: readonly ((file: Uint8Array, below: (limit: number) => number) => Uint8Array)[] = [
  // Flips bits anywhere.
  (file, below) => {
    for (let i = 0; i <= below(40); i++) file[below(file.length)]! ^= 1 << below(8);
    return file;
  },
  // Overwrites bytes of the headers.
  (file, below) => {
    for (let i = 0; i <= below(6); i++) file[below(Math.min(file.length, HEADER_BYTES))] = below(256);
    return file;
  },
  // Fills lengths and rates with ones or zeros.
  (file, below) => file.fill(below(2) * 255, below(HEADER_BYTES), below(HEADER_BYTES)),
  // Truncates the file.
  (file, below) => file.slice(0, below(file.length)),
  // Removes a piece.
  (file, below) => {
    const at = below(file.length);
    return Uint8Array.from([...file.subarray(0, at), ...file.subarray(at + below(file.length / 4))]);
  },
  // Repeats a piece.
  (file, below) => {
    const at = below(file.length);
    return Uint8Array.from([...file.subarray(0, at), ...file.subarray(at >> 1)]);
  },
  // Overwrites a piece with noise.
  (file, below) => {
    const at = below(file.length);
    for (let i = at; i < Math.min(file.length, at + below(5000)); i++) file[i] = below(256);
    return file;
  },
  // Overwrites a piece with zeros.
  (file, below) => {
    const at = below(file.length);
    return file.fill(0, at, at + below(5000));
  },
  // Inserts noise before the file.
  (file, below) => Uint8Array.from([...Array.from({ length: below(3000) }, () => below(256)), ...file]),
];

/** Returns a damaged copy of `file`. Equal seeds give equal damage. */
export function damage(file: Uint8Array, seed: number): Uint8Array {
  const below = numbers(seed);
  let damaged: Uint8Array = file.slice();
  for (let i = 0; i <= below(3) && damaged.length > 0; i++) damaged = METHODS[below(METHODS.length)]!(damaged, below);
  return damaged;
}
