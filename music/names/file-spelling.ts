/** The spelling of names of files: words that are joined by hyphens or underscores, and words in lower or upper case alone. */
import { capitalized } from '../texts/words.ts';

/** Words that a title has in lower case between its first word and its last one. */
const SMALL = new Set(
  'a an the and but or nor of in on at to for by as de la le el du des und der die das feat ft vs'.split(' '),
);
/** Abbreviations that lower case hides, and that are no words. */
const ABBREVIATIONS = new Set('dj mc tv uk usa ussr ufo nyc sos ymca dna fm am pm edm ii iii iv'.split(' '));
/** Names that are written with a hyphen: `a-ha`, `T-Shirt`. */
const HYPHENATED = /^(?:\p{L}-\p{L}+|\p{L}+-\p{L})$/u;
/** A hyphen that joins words, and none of a compound that is always written with one. */
const JOINT = /(?<!\b(?:lo|hi|sci)(?=-fi\b))-+/giu;
/** A word of small letters alone: `deadmau5` and `k.d.` have a spelling of their own. */
const LOWER = /^\p{Ll}[\p{Ll}’']*$/u;
const COMPOUND = /^(?:lo|hi|sci)-fi$/;
const HAS_VOWEL = /[AEIOUYÀ-ÖØ-Ý]/;

const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** How the words of the name of a file are written. */
export interface FileSpelling {
  /** The name with spaces between its words, and ` - ` between artist and title. */
  words: string;
  /** Writes a part of the name as titles are written, if the file has only words in lower or upper case. */
  toTitle: (part: string, kind: 'artist' | 'name') => string;
}

/** Returns the words of a name without its extension, and how to write them. */
export function spellingOf(stem: string): FileSpelling {
  const hasLower = /\p{Ll}/u.test(stem);
  const isJoined = !/\s/.test(stem.trim()) && /[\p{L}\p{N}][-_]+[\p{L}\p{N}]/u.test(stem);
  const words = isJoined ? splitJoined(stem) : stem.replace(/_/g, ' ');
  if (isJoined && hasLower) return { words, toTitle: (part) => titleCase(part) };
  if (!hasLower) return { words, toTitle: (part, kind) => withoutCapitals(part, kind) };
  return { words, toTitle: (part) => part };
}

/** Separates words that hyphens and underscores join. Where a name has both, the rarer one is the dash behind the artist. */
function splitJoined(stem: string): string {
  const underscores = countOf(stem, /_+/g);
  const hyphens = countOf(stem, /-+/g);
  if (/(?<=[\p{L}\p{N}.])(?:--+|_-+_|__+)(?=[\p{L}\p{N}])/u.test(stem)) {
    return stem
      .split(/--+|_-+_|__+/)
      .map((part) => (isHyphenated(part) ? part : part.replace(/_+/g, ' ').replace(JOINT, ' ')))
      .join(' - ');
  }
  if (underscores > 1 || hyphens === 0) {
    // `artist_name-song_name`: a hyphen is the dash.
    return stem.replace(/_+/g, ' ').replace(/(?<=\p{L})-(?=\p{L})/u, underscores > 0 ? ' - ' : '-');
  }
  if (underscores === 1 && hyphens > 1) return stem.replace(JOINT, ' ').replace('_', ' - ');
  if (underscores === 1) return stem.replace('_', ' ').replace(/(?<=\p{L})-(?=\p{L})/u, ' - ');
  return isHyphenated(stem) ? stem : stem.replace(JOINT, ' ');
}

/** Whether the hyphens of a name without spaces belong to it: `a-ha`, `Spider-Man`, `AC-DC`. */
function isHyphenated(stem: string): boolean {
  if (HYPHENATED.test(stem)) return true;
  const parts = stem.split('-');
  const isShort = parts.every((part) => part.length < 4);
  // One hyphen between words with capitals may be one of the name; several of them join words, unless all are syllables.
  if (/\p{Ll}/u.test(stem)) return /\p{Lu}/u.test(stem) && (isShort || (parts.length === 2 && parts.every(isWord)));
  return isShort;
}

const isWord = (part: string): boolean => /^\p{L}+$/u.test(part);

/** Writes words of small letters with capitals. Others keep their spelling. */
function titleCase(part: string): string {
  const words = part.split(' ');
  return words
    .map((word, at) => {
      if (COMPOUND.test(word)) return word.replace(/(?:^|-)./g, (start) => start.toUpperCase());
      if (!LOWER.test(word)) return word;
      if (ABBREVIATIONS.has(word) && word !== 'am') return word.toUpperCase();
      return at > 0 && at < words.length - 1 && SMALL.has(word) ? word : capitalized(word);
    })
    .join(' ');
}

/** Writes words of capitals as a title. A single word, and what may be an abbreviation, keeps its spelling: `ABBA`, `LCD`. */
function withoutCapitals(part: string, kind: 'artist' | 'name'): string {
  const words = part.split(' ').filter((word) => /\p{Lu}/u.test(word));
  if (words.length < 2 || (kind === 'artist' && words.every((word) => word.length < 4))) return part;
  const lower = part
    .split(' ')
    .map((word) => (isAbbreviation(word, kind) ? word : word.toLowerCase()))
    .join(' ');
  return titleCase(lower);
}

/** Whether a word of capitals may be an abbreviation. Short words of artists often are. */
function isAbbreviation(word: string, kind: 'artist' | 'name'): boolean {
  if (!/^\p{Lu}[\p{Lu}’']*$/u.test(word) || !HAS_VOWEL.test(word)) return true;
  const lower = word.toLowerCase();
  if (SMALL.has(lower)) return false;
  return (ABBREVIATIONS.has(lower) && lower !== 'am') || (kind === 'artist' && word.length < 4);
}
