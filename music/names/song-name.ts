/** Title and artist of a song, from the tags and the name of its file. */
import { isMark, withoutMarks } from './clean-name.ts';
import { spellingOf } from './file-spelling.ts';
import type { FileSpelling } from './file-spelling.ts';

/** What the tags of a file say. */
export type NameTags = { title: string | null; artist: string | null };
/** `artist` is empty if it is not known. */
export type SongName = { name: string; artist: string };

const [MAX_NAME, MAX_ARTIST] = [200, 120];
/** Longer names of files are cut: no file system has them. */
const MAX_FILE_NAME = 300;
const EXTENSION = /\.(?:mp3|wav|wave|aiff?|aifc|flac|ogg|oga|opus|m4a|mp4|aac|wma|webm)$/i;
/** Tags of programs that know no better, and those without a letter of any script. */
const NO_TITLE = /^(?:untitled|unknown|no title|(?:audio)?track ?\d*|titel ?\d*|piste ?\d*|pista ?\d*|[^\p{L}]*)$/iu;
const NO_ARTIST = /^(?:unknown(?: artist)?|various(?: artists?)?|va|artist|n\/?a|none|[^\p{L}\p{N}]*)$/iu;
const TRACK_NUMBER = /^(?:(?:cd|disc) ?\d )?(?:\d{1,2}[-.])?\d{1,3}$|^[A-D]\d{1,2}$/i;
/** In front of a name without a dash: `01 Song`, `1. Song`, `03) Song`, `1-04 Song`. A number alone may belong to it: `7 Rings`. */
const LEADING_NUMBER = /^(?:0\d{1,2}[ .)_-]+|\d{1,3}[.)] +|\d-\d{2}[ .)_-]+)(?=\S*\p{L})/u;
const CAMELOT = /^(?:1[0-2]|0?[1-9])[AB]$/i;
const TEMPO = /^(?:[6-9]\d|1\d\d|20\d)(?:\.\d+)?(?: ?bpm)?$/i;

const sameWords = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
const isSame = (a: string, b: string): boolean => sameWords(a) !== '' && sameWords(a) === sameWords(b);

/** The name of a file as words: without extension, separators and escapes. */
function wordsOf(fileName: string): FileSpelling {
  let stem = fileName.slice(-MAX_FILE_NAME).normalize('NFC');
  while (EXTENSION.test(stem)) stem = stem.replace(EXTENSION, '');
  if (/%[0-9a-f]{2}/i.test(stem)) {
    try {
      stem = decodeURIComponent(stem);
    } catch {
      // It was no escape.
    }
  }
  if (
    !/[\s_-]/.test(stem.trim().replaceAll('.-.', '')) &&
    /\.[^.]{3,}\.|\.[^.]{2,}$/.test(stem) &&
    stem.split('.').length > 2
  )
    stem = stem.replace(/\./g, ' ');
  const { words, toTitle } = spellingOf(stem);
  const dashes = words
    .replace(/\s+[–—−]+\s+/g, ' - ')
    .replace(/\s*[–—]\s*/g, ' - ')
    .replace(/\s-+\s/g, ' - ');
  return { words: dashes.replace(/\s+/g, ' ').trim(), toTitle };
}

/** The parts of a name between dashes, without numbers of tracks, tempi, keys and marks. */
function partsOf(words: string): string[] {
  const parts = withoutMarks(words)
    .split(' - ')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const isNumber = (part: string, at: number): boolean =>
    TRACK_NUMBER.test(part) && (at > 0 || parts.length > 2 || part.startsWith('0') || part.length < 3);
  // `Artist - Album - 05 - Song`: what lies between the artist and the number is the album.
  const number = parts.findIndex((part, at) => at > 1 && at < parts.length - 1 && TRACK_NUMBER.test(part));
  const useful = number > 1 ? [parts[0]!, ...parts.slice(number + 1)] : parts;
  const named = useful.filter((part, at) => {
    if (useful.length < 2) return true;
    const isLast = at === useful.length - 1;
    if (isNumber(part, at) && !(isLast && useful.length === 2)) return false;
    // A number is a title behind an artist: `U2 - 40`. One digit is the number of a copy.
    if (isLast && useful.length === 2 && /^[1-9]\d$/.test(part)) return true;
    return !(useful.length > 2 && (CAMELOT.test(part) || TEMPO.test(part))) && !isMark(part);
  });
  const cleaned = named.map((part, at) => withoutMarks(at === 0 ? part.replace(LEADING_NUMBER, '') : part));
  return cleaned.filter(
    (part, at) => part !== '' && !(at > 0 && at < cleaned.length - 1 && isSame(part, cleaned[at - 1]!)),
  );
}

/** Reads title and artist in the name of a file. */
function readFileName(fileName: string): SongName {
  const { words, toTitle } = wordsOf(fileName);
  const { name, artist } = readName(words);
  return { name: toTitle(name, 'name'), artist: toTitle(artist, 'artist') };
}

/** Reads title and artist in a name of the form `Artist - Title`. */
function readName(words: string): SongName {
  const [first = '', ...rest] = partsOf(words);
  return rest.length === 0 ? { name: first, artist: '' } : { artist: first, name: rest.join(' - ') };
}

const known = (text: string | null, unknown: RegExp): string => {
  const clean = (text ?? '').slice(0, MAX_FILE_NAME).replace(/\s+/g, ' ').trim();
  return unknown.test(clean) ? '' : clean;
};

/** Removes `Artist - ` from the start of a title. */
function withoutArtist(title: string, artist: string): string {
  const at = title.indexOf(' - ');
  return at > 0 && isSame(title.slice(0, at), artist) ? title.slice(at + 3) : title;
}

/**
 * Returns title and artist of a song: of its tags, otherwise of the name of its file. Track numbers, versions, tempi and marks of
 * videos and sites are removed; what tells recordings apart (`(Live)`, `(Acapella)`, a remix) stays. Words that a file name joins or
 * has in lower or upper case alone are written as titles; tags and names with a spelling of their own keep it.
 */
export function songNameOf(fileName: string, tags: NameTags = { title: null, artist: null }): SongName {
  const ofFile = readFileName(fileName);
  const [title, tagged] = [known(tags.title, NO_TITLE), known(tags.artist, NO_ARTIST)];
  const ofTitle = title.includes(' - ') && tagged === '' ? readName(title) : { name: withoutMarks(title), artist: '' };
  const fromFile = title === '' || isSame(ofTitle.name, ofFile.name) ? ofFile.artist : '';
  const artist = tagged || ofTitle.artist || fromFile;
  const name = withoutArtist(ofTitle.name || ofFile.name, artist);
  return { name: name.slice(0, MAX_NAME).trim() || 'Untitled', artist: artist.slice(0, MAX_ARTIST).trim() };
}
