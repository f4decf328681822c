/** Keys: reading and writing them, the Camelot wheel, and how far two keys lie apart. */

/** `tonic` counts semitones from C. */
export type Key = { tonic: number; mode: 'major' | 'minor' };

const PITCHES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const NATURALS: Record<string, number> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };

/** Largest transposition worth asking of a pitch shifter, either way: beyond a tritone the other direction is nearer. */
const MAX_KEY_SHIFT = 6;

const modulo12 = (n: number): number => ((n % 12) + 12) % 12;

/** Reads `A Minor`, `C# minor`, `Bbm`, `F♯ maj`, `Am`, `C` or a Camelot code (`8A`); null for anything else (`N/A`). */
export function parseKey(text: string): Key | null {
  const trimmed = text.trim();
  const camelot = /^(1[0-2]|[1-9])\s*([AB])$/i.exec(trimmed);
  if (camelot) {
    const majorTonic = modulo12((Number(camelot[1]) - 8) * 7);
    return camelot[2]?.toUpperCase() === 'B'
      ? { tonic: majorTonic, mode: 'major' }
      : { tonic: modulo12(majorTonic - 3), mode: 'minor' };
  }
  const named = /^([a-g])\s*([#♯b♭]?)\s*-?\s*(major|maj|minor|min|m|)$/i.exec(trimmed);
  const natural = NATURALS[named?.[1]?.toLowerCase() ?? ''];
  if (!named || natural === undefined) return null;
  const accidental = named[2] === '#' || named[2] === '♯' ? 1 : named[2] ? -1 : 0;
  // A lone capital M is the chord symbol for major; a small one means minor.
  const mode = named[3] === 'M' || !/^(minor|min|m)$/i.test(named[3] ?? '') ? 'major' : 'minor';
  return { tonic: modulo12(natural + accidental), mode };
}

/** Writes a key as the analysis does: `C# minor`. */
export function formatKey(key: Key): string {
  return `${PITCHES[modulo12(key.tonic)] ?? 'C'} ${key.mode}`;
}

/** Tonic of the major scale with the same notes: A minor gives C. */
function relativeMajorTonic(key: Key): number {
  return modulo12(key.mode === 'major' ? key.tonic : key.tonic + 3);
}

/** Camelot code: C major is `8B`, A minor `8A`, a fifth up is one more. */
export function camelotCode(key: Key): string {
  const fifths = modulo12(relativeMajorTonic(key) * 7);
  return `${((fifths + 7) % 12) + 1}${key.mode === 'major' ? 'B' : 'A'}`;
}

export function transposeKey(key: Key, semitones: number): Key {
  return { tonic: modulo12(key.tonic + semitones), mode: key.mode };
}

/**
 * Smallest shift in semitones (-5..6) after which a song in `from` uses the notes of `to`. A key and its relative have the
 * same notes, so A minor to C major is 0.
 */
export function keyShift(from: Key, to: Key): number {
  const up = modulo12(relativeMajorTonic(to) - relativeMajorTonic(from));
  return up > MAX_KEY_SHIFT ? up - 12 : up;
}

/** Steps on the circle of fifths between the scales of two keys, 0..6: the number of notes that differ. */
export function fifthDistance(a: Key, b: Key): number {
  const steps = modulo12(7 * (relativeMajorTonic(b) - relativeMajorTonic(a)));
  return Math.min(steps, 12 - steps);
}

/** Without shifting: by how many notes of the scale differ. */
const BY_FIFTHS = [1, 0.85, 0.65, 0.45, 0.3, 0.25, 0.2] as const;
/** With shifting: what a shift costs in sound. */
const BY_SHIFT = [1, 0.85, 0.75, 0.6, 0.5, 0.4, 0.3] as const;
const RELATIVE_COMPATIBILITY = 0.95;

/**
 * How well two keys go together, 0..1: the better of leaving them as they are and of shifting one. Equal keys are 1, a
 * relative pair 0.95.
 */
export function keyCompatibility(a: Key, b: Key): number {
  if (a.tonic === b.tonic && a.mode === b.mode) return 1;
  const distance = fifthDistance(a, b);
  if (distance === 0) return RELATIVE_COMPATIBILITY;
  return Math.max(BY_FIFTHS[distance] ?? 0.2, BY_SHIFT[Math.abs(keyShift(a, b))] ?? 0.3);
}
