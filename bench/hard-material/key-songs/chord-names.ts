/** Chords by Roman numerals relative to the tonic: `i`, `bVI`, `V7`, `iim7b5`. Numerals count degrees of the major scale. */

/** A chord: semitones of its root above the tonic, and its intervals above the root. */
export type NamedChord = { root: number; intervals: readonly number[] };

const DEGREES: Record<string, number> = { i: 0, ii: 2, iii: 4, iv: 5, v: 7, vi: 9, vii: 11 };
const SUFFIXES: Record<string, readonly number[]> = {
  '': [],
  '7': [10],
  maj7: [11],
  o: [],
  m7b5: [10],
};

/**
 * Parses a numeral. Capitals are major triads.
 * @throws Error for text that is no numeral
 */
export function chordOf(name: string): NamedChord {
  const [, accidental = '', numeral = '', suffix = ''] = /^([b#]?)([iv]+|[IV]+)(.*)$/.exec(name) ?? [];
  const degree = DEGREES[numeral.toLowerCase()];
  const added = SUFFIXES[suffix];
  if (degree === undefined || !added) throw new Error(`"${name}" is no chord.`);
  const third = numeral === numeral.toUpperCase() ? 4 : 3;
  const fifth = suffix === 'o' || suffix === 'm7b5' ? 6 : 7;
  const shift = accidental === 'b' ? 11 : accidental === '#' ? 1 : 0;
  return { root: (degree + shift) % 12, intervals: [0, third, fifth, ...added] };
}

/** Chords of a progression, one per bar: numerals separated by blanks. */
export const progressionOf = (text: string): NamedChord[] => text.split(' ').map(chordOf);
