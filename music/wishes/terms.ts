/**
 * The words that patterns of wishes are made of, and the compiler of patterns.
 *
 * A pattern is a regular expression on a clause in normal form (`clauses.ts`) in which `{name}` stands for one of the terms
 * below. Songs are `@0`, quantities `#s90` (seconds), `#b120` (bpm), `#t-2` (semitones), `#d3` (dB), `#p10` (percent),
 * `#x2` (times), `#n4`, keys `#kA_minor`.
 */
import type { Stem } from '../../schema.ts';

/** Words for one stem. */
const STEM_WORDS: Record<Stem, readonly string[]> = {
  vocals: words(
    'vocals|vocal|vocal track|vocal part|lead vocals|lead vocal|voice|voices|vox|singing|singer|singers|vocalist|rap|rapping|rapper|rap part|acapella|sung parts',
  ),
  drums: words('drums|drum|drum track|beat|beats|percussion|drumming|rhythm|drum beat|drum part'),
  bass: words('bass|basses|base|bassline|basslines|bass line|bass lines|bass part|bass guitar|low end'),
  other: words(
    'melody|melodies|harmony|harmonies|chord|chords|instruments|synth|synths|synthesizer|synthesizers|guitar|guitars|piano|pianos|keyboard|keyboards|pads|strings',
  ),
};
/** Words for everything but the voice. */
const BACKING_WORDS = words(
  'backing|backing track|backing music|instrumental|instrumentals|instrumental part|instrumental track|music|accompaniment',
);
const STEM_OF = new Map(
  (Object.keys(STEM_WORDS) as Stem[]).flatMap((stem) => STEM_WORDS[stem].map((word) => [word, stem] as const)),
);

function words(list: string): string[] {
  return list.split('|');
}

/** One of the words, longest first. */
const oneOf = (list: readonly string[]): string => [...list].sort((a, b) => b.length - a.length).join('|');
const STEM = `(?:${oneOf([...STEM_OF.keys(), ...BACKING_WORDS])})`;
const STEMS = `${STEM}(?: and ${STEM}){0,4}`;
/** A stem of a song, a song, or a stem. */
const PART = `(?:@\\d ${STEMS}|${STEMS} (?:of|from|by|in|out of) @\\d|@\\d|${STEMS})`;
const VOLUME = '(?:volume |level |loudness )?(?:of |on )?';

/** Terms that are captured under their names. */
const CAPTURED: Record<string, string> = {
  part: PART,
  part2: PART,
  song: '@\\d',
  song2: '@\\d',
  stems: STEMS,
  sec: '#s[\\d.]+',
  bpm: '#b[\\d.]+',
  num: '#n[\\d.]+',
  key: '#k\\S+',
  tones: '#t[\\d.]+',
  db: '#d[\\d.]+',
  pct: '#p[\\d.]+',
  times: '#x[\\d.]+',
};

/** Terms that are not captured. */
const TERMS: Record<string, string> = {
  modal: '(?:should|must|has to|have to|needs to|need to|shall|could|can|to|will|would|gets to|ought to|may|might)',
  // What a sentence about the present says (`are too loud`), and what one about the next version says.
  be: '(?:is|are|was|were|sounds|sound|feels|feel|be|being|becomes|get|gets|goes|go|comes|seems|{mod})',
  mod: '(?:be|get|become|(?:should|must|has to|have to|needs to|need to|could|can|to|will|would|ought to|might) (?:be|sound|feel|become|get|go|come))',
  use: '(?:use|using|take|taking|keep|have|get|put|choose|pick|go with|with|hear|only|just|only use|just use|use only|use just|only take|only keep|only hear|give|play|switch to|change to|stick with|stick to|i prefer|rather)',
  only: '(?:only|alone|all alone|solo|by itself|by themselves|on own|and nothing else|nothing else|with nothing else|without anything else)',
  volume: VOLUME,
  // What more or less of anything is asked for with.
  raise:
    '(?:turn up|bring up|push up|crank up|crank|dial up|dial in more|bump up|bump|pump up|ramp up|jack up|take up|kick up|put up|move up|pull up|step up|boost|raise|increase|lift|amplify|strengthen|enhance|heighten|beef up|up)',
  lower:
    '(?:turn down|bring down|tone down|dial down|dial back|pull down|pull back|push down|take down|cut down|cut down on|cut back|cut back on|scale back|knock down|put down|hold back|move down|step down|reduce|lower|decrease|soften|tame|rein in|go easy on|easy on|go easier on|go lighter on|easy with|go easy with|ease off|ease off on|ease up on|back off|back off on)',
};

/** Words of all patterns: what a misspelled word may be corrected to. */
const vocabulary = new Set<string>();

/** Returns whether a word is one of those that patterns are made of. */
export const isVocabulary = (word: string): boolean => vocabulary.has(word);

/** Returns the words that patterns are made of. */
export const vocabularyWords = (): Iterable<string> => vocabulary;

/** Adds words to those that a misspelled word may be corrected to. */
export function addVocabulary(source: string): void {
  for (const [word, optional] of source.replace(/\\\w/g, ' ').matchAll(/[a-z]+(\?)?/g)) {
    if (optional === undefined) vocabulary.add(word);
    else for (const end of [-1, -2]) vocabulary.add(word.slice(0, end));
  }
}

/** Replaces `{name}` by the terms of these names. */
function expand(pattern: string): string {
  return pattern.replace(/\{([a-z]\w*)\}/g, (_, name: string) => {
    const captured = CAPTURED[name];
    return captured === undefined ? expand(TERMS[name] ?? '') : `(?<${name}>${captured})`;
  });
}

/** Compiles a pattern. It matches whole clauses only. */
export function compilePattern(pattern: string): RegExp {
  const source = expand(pattern);
  addVocabulary(source.replace(/\?<\w+>/g, ''));
  return new RegExp(`^(?:${source})$`);
}

/** What a captured part names. `stems` is undefined for a whole song, `song` for the stems of every song. */
export interface Part {
  song?: number;
  stems?: readonly Stem[];
}

/** Reads the stems of a list such as `drums and bass`; everything but the voice for `backing`. */
export function readStems(list: string): Stem[] {
  const stems = list.split(' and ').flatMap((word) => STEM_OF.get(word) ?? (['drums', 'bass', 'other'] as const));
  return [...new Set(stems)];
}

/** Reads a captured part. */
export function readPart(text: string): Part {
  const song = /@(\d)/.exec(text)?.[1];
  const list = text.replace(/ ?(?:(?:of|from|by|in|out of) )?@\d ?/, '');
  return {
    ...(song === undefined ? {} : { song: Number(song) }),
    ...(list === '' ? {} : { stems: readStems(list) }),
  };
}
