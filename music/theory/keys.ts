/** Musical keys: formatting, Camelot codes, distances. */
import type { Key } from './key.ts';
import { parseKey } from './parse-key.ts';
import { spellNote, withAccidentalSigns } from './spelling.ts';

export { parseKey } from './parse-key.ts';
export type { Key } from './key.ts';

/** Largest shift in semitones: beyond a tritone the other direction is shorter. */
const MAX_KEY_SHIFT = 6;

const modulo12 = (n: number): number => ((n % 12) + 12) % 12;

/** Formats a key as it is stored and passed on: `C# minor`, `Bb major`. */
export function formatKey(key: Key): string {
  return `${spellNote(modulo12(key.tonic), key)} ${key.mode}`;
}

/** Formats a key for texts: `B♭ major`. Text that is no key (`N/A`) is returned as it is. */
export function displayKey(key: Key | string): string {
  const parsed = typeof key === 'string' ? parseKey(key) : key;
  return parsed ? `${withAccidentalSigns(spellNote(modulo12(parsed.tonic), parsed))} ${parsed.mode}` : String(key);
}

/** Formats a key for texts, with its Camelot code: `B♭ major (6B)`. Text that is no key is returned as it is. */
export function displayKeyWithCamelot(key: Key | string): string {
  const parsed = typeof key === 'string' ? parseKey(key) : key;
  return parsed ? `${displayKey(parsed)} (${camelotCode(parsed)})` : String(key);
}

/** Returns whether two texts name the same key: `A# major` and `Bb` do. Texts that are no keys are compared as they are. */
export function isSameKey(a: string, b: string): boolean {
  const [keyA, keyB] = [parseKey(a), parseKey(b)];
  return keyA && keyB ? keyA.tonic === keyB.tonic && keyA.mode === keyB.mode : a === b;
}

/** Returns the tonic of the major scale with the same notes: C for A minor. */
function relativeMajorTonic(key: Key): number {
  return modulo12(key.mode === 'major' ? key.tonic : key.tonic + 3);
}

/** Returns the Camelot code: C major is `8B`, A minor `8A`, a fifth up adds one. */
export function camelotCode(key: Key): string {
  const fifths = modulo12(relativeMajorTonic(key) * 7);
  return `${((fifths + 7) % 12) + 1}${key.mode === 'major' ? 'B' : 'A'}`;
}

/** Transposes a key by semitones. */
export function transposeKey(key: Key, semitones: number): Key {
  return { tonic: modulo12(key.tonic + semitones), mode: key.mode };
}

/**
 * Returns the smallest shift in semitones (-5..6) after which a song in `from` has the notes of `to`. Relative keys have
 * the same notes: A minor to C major is 0.
 */
export function keyShift(from: Key, to: Key): number {
  const up = modulo12(relativeMajorTonic(to) - relativeMajorTonic(from));
  return up > MAX_KEY_SHIFT ? up - 12 : up;
}

/** Returns the steps on the circle of fifths between two keys, 0..6: the number of notes in which they differ. */
export function fifthDistance(a: Key, b: Key): number {
  const steps = modulo12(7 * (relativeMajorTonic(b) - relativeMajorTonic(a)));
  return Math.min(steps, 12 - steps);
}

/** Compatibility without a shift, by fifth distance. */
const BY_FIFTHS = [1, 0.85, 0.65, 0.45, 0.3, 0.25, 0.2] as const;
/** Compatibility after a shift, by its size in semitones: larger shifts degrade the sound. */
const BY_SHIFT = [1, 0.85, 0.75, 0.6, 0.5, 0.4, 0.3] as const;
const RELATIVE_COMPATIBILITY = 0.95;

/**
 * Returns the compatibility of two keys, 0..1: the higher of the values with and without a shift. Equal keys have 1,
 * relative keys 0.95.
 */
export function keyCompatibility(a: Key, b: Key): number {
  if (a.tonic === b.tonic && a.mode === b.mode) return 1;
  const distance = fifthDistance(a, b);
  if (distance === 0) return RELATIVE_COMPATIBILITY;
  return Math.max(BY_FIFTHS[distance] ?? 0.2, BY_SHIFT[Math.abs(keyShift(a, b))] ?? 0.3);
}
