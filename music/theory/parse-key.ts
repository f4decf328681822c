/** Parses the names of keys that services, planners, tags and users write. */
import type { Key } from './key.ts';

const NATURALS: Record<string, number> = { c: 0, d: 2, e: 4, f: 5, g: 7, a: 9, b: 11, h: 11 };
const SHARP = /^([#♯]|sharp|is)$/i;
/** Major and minor, and the modes by their third: dorian is counted as minor, mixolydian as major. */
const MAJOR_NAME = 'major|maj|dur|ionian|lydian|mixolydian';
const MINOR_NAME = 'minor|min|moll|m|aeolian|dorian|phrygian';
const NAMED = new RegExp(`^([a-h])[\\s-]*([#♯b♭]|sharp|flat)?[\\s-]*(${MAJOR_NAME}|${MINOR_NAME}|)$`, 'i');
const MINOR = new RegExp(`^(${MINOR_NAME})$`, 'i');
/** German names: `Es-Dur`, `fis-Moll`; `B` is B flat there and `H` is B. */
const GERMAN = /^([a-h])(is|es|s)?[\s-]*(dur|moll)$/i;

const modulo12 = (n: number): number => ((n % 12) + 12) % 12;

/** The key with the notes of the major scale that is `fifths` fifths above C. */
function byFifths(fifths: number, mode: Key['mode']): Key {
  return { tonic: modulo12(fifths * 7 - (mode === 'minor' ? 3 : 0)), mode };
}

function parseGerman(text: string): Key | null {
  const [, letter = '', suffix = '', mode = ''] = GERMAN.exec(text) ?? [];
  const natural = NATURALS[letter.toLowerCase()];
  if (natural === undefined || (suffix.toLowerCase() === 's' && !/[ae]/i.test(letter))) return null;
  const accidental = suffix === '' ? (/b/i.test(letter) ? -1 : 0) : SHARP.test(suffix) ? 1 : -1;
  return { tonic: modulo12(natural + accidental), mode: MINOR.test(mode) ? 'minor' : 'major' };
}

/**
 * Parses `A minor`, `C# min`, `Bbm`, `B♭ maj`, `E flat major`, `Am`, `C`, German names (`h-Moll`, `Es-Dur`), Camelot codes
 * (`8A`) and Open Key codes (`1m`). Returns null for anything else (`N/A`).
 */
export function parseKey(text: string): Key | null {
  const trimmed = text.trim();
  const [, number, letter = ''] = /^(1[0-2]|0?[1-9])\s*([abdm])$/i.exec(trimmed) ?? [];
  if (number !== undefined) {
    const isCamelot = /[ab]/i.test(letter);
    return byFifths(Number(number) - (isCamelot ? 8 : 1), /[am]/i.test(letter) ? 'minor' : 'major');
  }
  const german = parseGerman(trimmed);
  if (german) return german;
  const named = NAMED.exec(trimmed);
  const natural = NATURALS[named?.[1]?.toLowerCase() ?? ''];
  if (!named || natural === undefined) return null;
  const accidental = named[2] === undefined ? 0 : SHARP.test(named[2]) ? 1 : -1;
  const mode = named[3] ?? '';
  // `M` is the chord symbol for major, `m` for minor.
  return { tonic: modulo12(natural + accidental), mode: mode !== 'M' && MINOR.test(mode) ? 'minor' : 'major' };
}
