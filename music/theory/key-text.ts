/** Keys that a text names. */
import { camelotCode, displayKey, formatKey, parseKey } from './keys.ts';

/** A key by its name in a text: `C# minor`, `B♭-major`. */
const KEY_NAME = /\b[A-G](?:#|♯|b|♭)?[ -](?:major|minor)\b/gi;
const ASCII_ACCIDENTAL = /^[A-G][#b]/i;
const CAMELOT = /\b(?:1[0-2]|[1-9])[AB]\b/g;

/**
 * Replaces a key that a text names by another one, in all spellings, with or without its Camelot code. For texts of a plan whose
 * mashup sounds in another key. A key that is written in ASCII, as `Bb`, is replaced by one in ASCII.
 * @param names names of songs, which are not changed
 */
export function restateKey(text: string, planned: string, sounding: string, names: readonly string[] = []): string {
  const [from, to] = [parseKey(planned), parseKey(sounding)];
  if (from === null || to === null || (from.tonic === to.tonic && from.mode === to.mode)) return text;
  const isFrom = (name: string): boolean => {
    const key = parseKey(name.replace('-', ' '));
    return key?.tonic === from.tonic && key.mode === from.mode;
  };
  if (names.some((name) => text.includes(name) && name.match(KEY_NAME)?.some(isFrom))) return text;
  const code = camelotCode(from);
  return text
    .replace(KEY_NAME, (name) => (isFrom(name) ? (ASCII_ACCIDENTAL.test(name) ? formatKey(to) : displayKey(to)) : name))
    .replace(CAMELOT, (found) => (found === code ? camelotCode(to) : found));
}
