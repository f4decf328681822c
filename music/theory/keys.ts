/** Musical keys: parsing, formatting, Camelot codes, distances. */

/** A key. `tonic` is the number of semitones above C. */
export type Key = { tonic: number; mode: 'major' | 'minor' };

const PITCHES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'] as const;
const NATURALS: Record<string, number> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11 };

/** Largest shift in semitones: beyond a tritone the other direction is shorter. */
const MAX_KEY_SHIFT = 6;

const modulo12 = (n: number): number => ((n % 12) + 12) % 12;

/** Parses `A Minor`, `C# minor`, `Bbm`, `F♯ maj`, `Am`, `C` or a Camelot code (`8A`); null for anything else (`N/A`). */
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
  // `M` is the chord symbol for major, `m` for minor.
  const mode = named[3] === 'M' || !/^(minor|min|m)$/i.test(named[3] ?? '') ? 'major' : 'minor';
  return { tonic: modulo12(natural + accidental), mode };
}

/** Formats a key as the analysis does: `C# minor`. */
export function formatKey(key: Key): string {
  return `${PITCHES[modulo12(key.tonic)] ?? 'C'} ${key.mode}`;
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
