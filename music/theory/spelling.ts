/**
 * Names of notes as musicians spell them. The fewest sharps or flats of the key signature decide: B flat major, not A sharp major.
 * With six of either, a major key is written with sharps and a minor key with flats (F# major, Eb minor), as on the Camelot wheel.
 * Other notes are spelled by their degree: flat second, third, sixth and seventh, sharp fourth.
 */
import type { Key } from './key.ts';

/** Notes by steps on the line of fifths, from -8 (Fb) over 0 (C) to 12 (B#). */
const NOTES =
  'Fb Cb Gb Db Ab Eb Bb F C G D A E B F# C# G# D# A# E# B#'.split(' '); // prettier-ignore
const FIRST_STEP = -8;
const NATURALS: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };

const modulo12 = (n: number): number => ((n % 12) + 12) % 12;

/** Sharps (positive) or flats (negative) of the key signature. */
function signature({ tonic, mode }: Key): number {
  const steps = modulo12(7 * (mode === 'major' ? tonic : tonic + 3) + 5) - 5;
  return steps === 6 && mode === 'minor' ? -6 : steps;
}

/**
 * Returns the name of a pitch class in a key: pitch class 10 is `Bb` in F major and `A#` in B major.
 * @param key null: an unknown key, spelled as in C major
 */
export function spellNote(pitch: number, key: Key | null): string {
  const { tonic, mode } = key ?? { tonic: 0, mode: 'major' };
  const tonicStep = key ? signature(key) + (mode === 'minor' ? 3 : 0) : 0;
  const step = tonicStep + modulo12(7 * (pitch - tonic) + 5) - 5;
  return NOTES[step - FIRST_STEP] ?? NOTES[step - FIRST_STEP + (step < 0 ? 12 : -12)] ?? 'C';
}

/** Returns a chord label with its root spelled as in the key (`A#m` in F major is `Bbm`); other text is returned as it is. */
export function spellChord(label: string, key: Key | null): string {
  const parts = /^([A-G])([#♯b♭]?)((?:m|maj|min|dim|aug|sus|add|M|°|ø|\+)?[\d()#b+-]*)$/.exec(label);
  const natural = NATURALS[parts?.[1] ?? ''];
  if (!parts || natural === undefined) return label;
  const accidental = parts[2] === '' ? 0 : parts[2] === '#' || parts[2] === '♯' ? 1 : -1;
  return spellNote(modulo12(natural + accidental), key) + parts[3]!;
}

/** Writes accidentals as signs for texts: `Bb` is `B♭`. */
export function withAccidentalSigns(note: string): string {
  return note.replace(/#$/, '♯').replace(/(?<=.)b$/, '♭');
}

/** A note with an accidental sign, in a text. */
const SIGNED_NOTE = /(\b[A-G][♯♭])/u;

/** Splits a text into pieces: those at odd places are notes with an accidental sign, as `B♭`. */
export const splitNotes = (text: string): string[] => text.split(SIGNED_NOTE);

/** Writes notes of a text as they are spoken: `B♭ major` is `B flat major`. For screen readers, which skip the signs or misread them. */
export function spokenNotes(text: string): string {
  return splitNotes(text)
    .map((piece, at) => (at % 2 === 0 ? piece : `${piece[0]} ${piece[1] === '♭' ? 'flat' : 'sharp'}`))
    .join('');
}
