/** Titles of mashups: made of the names of the songs, and true whoever sings and plays. */
import type { NamedSong } from './words.ts';
import { shortenText } from '../plan/text.ts';

const MAX_LENGTH = 120;
const MAX_NAME_LENGTH = 60;

/** Returns a name without brackets: `Halo` for `Halo (Live)`. */
function shortName({ name }: NamedSong): string {
  const clean = shortenText(name, MAX_NAME_LENGTH) || 'Untitled';
  return clean.replace(/\s*[([].*$/, '').trim() || clean;
}

/** Returns half of each name: `Night Harbor` for `Night Drive` and `Glass Harbor`; null if that is no blend of the two. */
function blendOf(a: string, b: string): string | null {
  const [head, tail] = [a.split(' '), b.split(' ')];
  // Half of a name of one word is the whole name. Names with a common word give one of the names, or that word twice.
  if (head.length + tail.length < 3 || head.some((word) => tail.includes(word))) return null;
  const first = head.slice(0, Math.ceil(head.length / 2));
  return [...first, ...tail.slice(Math.floor(tail.length / 2))].join(' ');
}

/**
 * Returns a title.
 * @param songs in the order in which the title names them: the lead first
 * @param number chooses the form
 */
export function titleOf(songs: readonly NamedSong[], number: number): string {
  const [a = 'Mashup', b, third] = songs.map(shortName);
  if (b === undefined) return shortenText(a, MAX_LENGTH);
  const blend = blendOf(a, b);
  const forms = [`${a} x ${b}`, `${a} Meets ${b}`, blend ?? `${b} x ${a}`, `${a} & ${b}`];
  const title = forms[number % forms.length]!;
  return shortenText(third !== undefined && title !== blend ? `${title} x ${third}` : title, MAX_LENGTH);
}
