/** Finds the songs that a text names: by title, artist, number, or as the only one with a voice. */
import type { WishSong } from '../../schema.ts';
import { isCommonWord } from './common-words.ts';
import { isWord, joinTokens, plainWord, tokenize, type Token } from './tokens.ts';
import { isVocabulary } from './terms.ts';

/** A name of a song as words. `isWeak`: it may be an ordinary word of the text as well. */
type Alias = { words: readonly string[]; song: number; isWeak: boolean };

const EXTENSION = /\.(mp3|wav|flac|ogg|m4a|aac|aiff?|opus)$/i;
/** What files are called beside their titles. */
const NAME_NOISE =
  /[([{][^)\]}]*[)\]}]|\b(?:final|mix|mixed|master|mastered|demo|take\s*\d*|edit|remix|remaster(?:ed)?|official|audio|video|lyrics|version|bounce|v\s*\d+|wip|draft|copy)\b/gi;
const ARTIST_SEPARATOR = /\s*(?:,|&|\+|\/|\bx\b|\bvs\.?|\bfeat\.?|\bft\.?|\bfeaturing\b|\band\b|\bwith\b)\s*/i;
const MIN_PARTIAL_LETTERS = 4;

const wordsOf = (text: string): string[] =>
  tokenize(text.replace(EXTENSION, ''))
    .filter(isWord)
    .map((token) => token.text);

/** The names of one song, as people write them. */
function namesOf(song: WishSong): string[][] {
  const name = song.name.slice(0, MAX_NAME_LENGTH);
  const artist = song.artist.slice(0, MAX_NAME_LENGTH);
  const bare = name
    .replace(EXTENSION, '')
    .replace(/_/g, ' ')
    .replace(NAME_NOISE, ' ')
    .replace(/^\s*\d{1,3}\s*[-.)]\s*/, '');
  const sides = bare.split(/\s+[-–—]\s+/);
  const artists = artist.split(ARTIST_SEPARATOR);
  const names = [name, bare, ...sides, artist, ...artists].flatMap((each) => {
    const words = wordsOf(each);
    return words[0] === 'the' && words.length > 1 ? [words, words.slice(1)] : [words];
  });
  return names.filter((words) => words.length > 0);
}

const MAX_NAME_WORDS = 12;
const MAX_NAME_LENGTH = 300;

const isTelling = (word: string): boolean => !isVocabulary(word) && !isCommonWord(word);

/**
 * First names of artists, and of songs without one, that are shorter than other telling words: `Amy`, `mum singing.wav`. They count
 * where a capital, a word beside them or a preposition shows a name.
 */
function shortFirstNames({ name, artist }: WishSong): string[] {
  const full = artist === '' ? [name.replace(/_/g, ' ')] : artist.split(ARTIST_SEPARATOR);
  return full.flatMap((each) => {
    const [first = '', ...others] = wordsOf(each.slice(0, MAX_NAME_LENGTH));
    return others.length > 0 && first.length === MIN_PARTIAL_LETTERS - 1 && isTelling(first) ? [first] : [];
  });
}

/** `MJ` for Michael Jackson. */
const initialsOf = ({ artist }: WishSong): string[] =>
  artist
    .slice(0, MAX_NAME_LENGTH)
    .split(ARTIST_SEPARATOR)
    .map((each) =>
      wordsOf(each)
        .map((word) => word[0])
        .join(''),
    )
    .filter((initials) => /^[a-z]{2,4}$/.test(initials) && !/^(?:db|bpm|st)$/.test(initials) && isTelling(initials));

/** Parts of a name that stand for it: one telling word, or two words and more. */
function partsOf(words: readonly string[]): string[][] {
  const parts: string[][] = [];
  const count = Math.min(words.length, MAX_NAME_WORDS);
  for (let from = 0; from < count; from++)
    for (let to = from + 1; to <= count; to++) {
      const part = words.slice(from, to);
      if (part.length === words.length) continue;
      const telling = part.filter(isTelling);
      const isLongEnough = part.length > 1 || (part[0]?.length ?? 0) >= MIN_PARTIAL_LETTERS;
      if (isLongEnough && telling.length > 0) parts.push(part);
    }
  return parts;
}

/** Names and parts of names that stand for one song only, longest first. */
function aliasesOf(songs: readonly WishSong[]): Alias[] {
  const found = new Map<string, Alias | null>();
  const add = (words: readonly string[], song: number): void => {
    const text = words.join(' ');
    const known = found.get(text);
    const isWeak = words.length === 1 && (isVocabulary(text) || text.length < MIN_PARTIAL_LETTERS);
    found.set(text, known === null || (known && known.song !== song) ? null : { words, song, isWeak });
  };
  songs.forEach((song, index) => {
    for (const words of namesOf(song)) {
      if (words.join('').length > 1) add(words, index);
      for (const part of partsOf(words)) add(part, index);
    }
    for (const short of [...shortFirstNames(song), ...initialsOf(song)]) add([short], index);
  });
  // A browser compiles this too: a copy is sorted, since older ones have no `toSorted`.
  const aliases = [...found.values()].filter((alias) => alias !== null);
  return aliases.sort((a, b) => b.words.join(' ').length - a.words.join(' ').length);
}

/** Whether a token is a word of a name; the last may be possessive. */
function isNameWord(token: Token | undefined, word: string, isLast: boolean): boolean {
  if (!token || token.entity) return false;
  if (token.text === word) return true;
  return isLast && (token.text === `${word}'s` || token.text === `${word}s` || token.text === `${word}'`);
}

const BEFORE_NAME = new Set(['of', 'from', 'by', 'over', 'song', 'track', 'called', 'named', '"', '“', '”']);
/** Only who is named does this. */
const AFTER_NAME = /^(?:by|sings|raps|over|under|underneath)$/;
const ON_TOP = /^(?:on top|up top)$/;
/** After a name that is no word of wishes. */
const AFTER_SHORT_NAME = /^(?:sing|singing|rap|rapping|plays?|on)$/;

/** Whether a name that is an ordinary word as well is meant as a name here. */
function isNamedHere(tokens: readonly Token[], at: number, text: string): boolean {
  const before = tokens[at - 1];
  const written = text.slice(tokens[at]?.from, tokens[at]?.to);
  const isCapital = /^\p{Lu}/u.test(written) && before !== undefined && isWord(before);
  const next = tokens[at + 1]?.text ?? '';
  if (ON_TOP.test(`${next} ${tokens[at + 2]?.text}`)) return true;
  if (AFTER_NAME.test(next) || (AFTER_SHORT_NAME.test(next) && !isVocabulary(tokens[at]?.text ?? ''))) return true;
  return isCapital || (before !== undefined && BEFORE_NAME.has(before.text)) || /'s$/.test(plainWord(written));
}

/** Replaces names of songs by song tokens. */
function findNames(tokens: readonly Token[], songs: readonly WishSong[], text: string): Token[] {
  const aliases = aliasesOf(songs);
  const found: Token[] = [];
  for (let at = 0; at < tokens.length;) {
    const alias = aliases.find(({ words, isWeak }) => {
      const isHere = words.every((word, i) => isNameWord(tokens[at + i], word, i === words.length - 1));
      return isHere && (!isWeak || isNamedHere(tokens, at, text));
    });
    const length = alias?.words.length ?? 1;
    found.push(...(alias ? [songToken(tokens.slice(at, at + length), alias.song)] : tokens.slice(at, at + length)));
    at += length;
  }
  return found;
}

const songToken = (tokens: readonly Token[], index: number): Token =>
  joinTokens(tokens, `@${index}`, { kind: 'song', index });

const NOUN = /^(songs?|tracks?|tunes?|one|files?|records?|upload)('s)?$/;
const ORDINALS = ['first', 'second', 'third'];
const NUMBERS = new Map(Object.entries({ '1': 0, one: 0, a: 0, '2': 1, two: 1, b: 1, '3': 2, three: 2, c: 2 }));
const PERSON = /^(girl|woman|lady|female|guy|man|boy|male|dude|chick)('s)?$|^(her|his|she|he|him|hers)$/;

/** Replaces `first song`, `song 2`, `the girl's` and the like by song tokens. */
function findReferences(tokens: readonly Token[], songs: readonly WishSong[]): Token[] {
  const singers = songs.flatMap((song, index) => (song.has_vocals === true ? [index] : []));
  const areVoicesKnown = songs.every((song) => song.has_vocals !== undefined);
  const found: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const [token, next, afterNext] = [tokens[at], tokens[at + 1], tokens[at + 2]];
    if (!token) continue;
    const ordinal = ordinalOf(token.text, songs.length);
    const number = NUMBERS.get(next?.text.replace(/'s$/, '') ?? '');
    const before = (found.at(-1)?.text === 'the' ? found.at(-2) : found.at(-1))?.text;
    if (ordinal !== undefined && ordinal < songs.length && next && NOUN.test(next.text)) {
      found.push(songToken([token, next], ordinal));
      at += 1;
    } else if (/^(song|track|tune|file)$/.test(token.text) && next && /^(number|no|nr)$/.test(next.text) && afterNext) {
      const index = NUMBERS.get(afterNext.text.replace(/'s$/, ''));
      if (index === undefined || index >= songs.length) found.push(token);
      else {
        found.push(songToken([token, next, afterNext], index));
        at += 2;
      }
    } else if (/^(song|track|tune|file)$/.test(token.text) && next && number !== undefined && number < songs.length) {
      found.push(songToken([token, next], number));
      at += 1;
    } else if (
      ordinal !== undefined &&
      ordinal < songs.length &&
      (before === 'of' || before === 'from' || /'s$/.test(token.text))
    )
      found.push(songToken([token], ordinal));
    else if (PERSON.test(token.text) && areVoicesKnown && singers.length === 1)
      found.push(songToken([token], singers[0] ?? 0));
    else found.push(token);
  }
  return found;
}

/** Position of a song by an ordinal; undefined for other words. */
function ordinalOf(text: string, count: number): number | undefined {
  const word = text.replace(/'s$/, '').replace(/^1st$/, 'first').replace(/^2nd$/, 'second').replace(/^3rd$/, 'third');
  if (word === 'last') return count - 1;
  const index = ORDINALS.indexOf(word);
  return index < 0 ? undefined : index;
}

/** Joins what names the same song twice (`Dreams by Fleetwood Mac`, `the Adele song`), and finds `the other one`. */
function joinReferences(tokens: readonly Token[], songs: readonly WishSong[]): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (!token) continue;
    const last = found.at(-1);
    const next = tokens[at + 1];
    const afterNext = tokens[at + 2];
    const lastIndex = last && songIndex(last);
    if (last && lastIndex !== undefined && songIndex(token) === lastIndex)
      found.splice(-1, 1, songToken([last, token], lastIndex));
    else if (
      last &&
      lastIndex !== undefined &&
      next &&
      /^(by|from|-)$/.test(token.text) &&
      songIndex(next) === lastIndex
    ) {
      found.splice(-1, 1, songToken([last, token, next], lastIndex));
      at += 1;
    } else if (
      last &&
      lastIndex !== undefined &&
      /^(song|track|tune|one)('s)?$/.test(token.text) &&
      !/^\d/.test(next?.text ?? '')
    )
      found.splice(-1, 1, songToken([last, token], lastIndex));
    else if (token.text === 'other' && next && NOUN.test(next.text)) {
      const other = otherSong(found, songs);
      found.push(...(other === undefined ? [token] : [songToken([token, next], other)]));
      if (other !== undefined) at += 1;
      if (afterNext === undefined && other === undefined) continue;
    } else found.push(token);
  }
  return found;
}

const songIndex = (token: Token): number | undefined =>
  token.entity?.kind === 'song' ? token.entity.index : undefined;

/** Of two songs, the one that the text has not named so far. */
function otherSong(before: readonly Token[], songs: readonly WishSong[]): number | undefined {
  const named = new Set(before.map(songIndex).filter((index) => index !== undefined));
  const [only] = named;
  return songs.length === 2 && named.size === 1 && only !== undefined ? 1 - only : undefined;
}

/** Replaces everything that names a song by one token for the song. */
export function findSongs(tokens: readonly Token[], songs: readonly WishSong[], text: string): Token[] {
  return joinReferences(findReferences(findNames(tokens, songs, text), songs), songs);
}
