/** Brings a clause into its normal form: no articles, no polite words, contractions written out, the degree apart. */
import { withoutDegree } from './degrees.ts';
import { correctSpelling } from './spelling.ts';
import { addVocabulary } from './terms.ts';
import { isWord, type Token } from './tokens.ts';
import type { ClauseContext } from './rule.ts';

const CONTRACTIONS = new Map(Object.entries({
  "it's": 'it is', "that's": 'that is', thats: 'that is', "there's": 'there is', theres: 'there is', "i'd": 'i would', id: 'i would',
  "i'm": 'i am', im: 'i am', "let's": 'let us', lets: 'let us', "don't": 'do not', dont: 'do not', "doesn't": 'does not',
  doesnt: 'does not', "can't": 'can not', cant: 'can not', "couldn't": 'could not', couldnt: 'could not', "shouldn't": 'should not',
  shouldnt: 'should not', "mustn't": 'must not', "isn't": 'is not', isnt: 'is not', "aren't": 'are not', arent: 'are not',
  "won't": 'will not', "they're": 'they are', "i've": 'i have', wanna: 'want to', gimme: 'give me', cannot: 'can not', u: 'you', r: 'are', em: 'them',
  vol: 'volume', tho: 'though', w: 'with', "they'd": 'they would', "it'd": 'it would', "you'd": 'you would', "she's": 'she is', "he's": 'he is',
  "we'd": 'we would', "didn't": 'did not', didnt: 'did not', "wasn't": 'was not', "weren't": 'were not', "i'll": 'i will', "we're": 'we are',
  wont: 'will not', gotta: 'have to', gonna: 'going to', lemme: 'let me', cuz: 'because', cos: 'because', coz: 'because', "'cause": 'because', 'til': 'until',
})); // prettier-ignore
/** Whether a word is written for two: `theres`. It is no misspelling. */
export const isContraction = (word: string): boolean => CONTRACTIONS.has(word);

/** Words without a meaning for the reading. */
const EMPTY = new Set(
  (
    'the that those these this my our a an some any it its mashup remix track song tune piece result thing please pls plz plss kindly ' +
    'really actually maybe perhaps also whole entire vibe vibes famous iconic legendary classic'
  ).split(' '),
);

const JOINERS = new Set([',', 'and', '&', '+', '/', 'n']);

/** Returns the words of a token as they count for the reading. */
export function wordsOfToken(token: Token): string[] {
  if (token.entity) return [token.text];
  const bare = token.text.replace(/'s$/, '');
  const text = CONTRACTIONS.get(token.text) ?? (bare === token.text ? bare : correctSpelling(bare));
  return text.split(' ').filter((word) => !EMPTY.has(word));
}

/** A clause in normal form, with the degree that was in it. */
export type NormalClause = { text: string } & Pick<ClauseContext, 'degree'>;

/** How much somebody likes it is no degree of the wish after it. */
const PRAISE = /^(?:i |we )?(?:like|love|enjoy|liked|loved|enjoyed) (?:lot|very much|so much) (?:but|and) /;
/** `what if we swapped the songs`: a past that is no past. */
const PAST: Record<string, string> = {
  ...{ swapped: 'swap', switched: 'switch', flipped: 'flip', turned: 'turn', made: 'make', had: 'have', used: 'use', added: 'add' },
  ...{ removed: 'remove', started: 'start', ended: 'end', dropped: 'drop', slowed: 'slow', took: 'take', kept: 'keep', brought: 'bring' },
}; // prettier-ignore
addVocabulary(Object.keys(PAST).join(' '));
const AFTER_IF = new RegExp(`\\bif ((?:we |you |i )?)(${Object.keys(PAST).join('|')})\\b`);
/** What is about a quantity. */
const HEDGE =
  /\b(?:about|around|roughly|approximately|approx|circa|ca|like|say|something like|somewhere (?:around|near)|more or less|give or take|just (?:over|under)) (?=#)/g;

/** Brings tokens into normal form. Marks and words that join become `and`. */
export function normalize(tokens: readonly Token[]): NormalClause {
  const words: string[] = [];
  for (const token of tokens) {
    if (JOINERS.has(token.text)) {
      if (words.length > 0 && words.at(-1) !== 'and') words.push('and');
    } else if (isWord(token)) words.push(...wordsOfToken(token));
  }
  let text = words.join(' ');
  text = text.replace(/\bon (?:@\d |their |his |her )?own\b/, 'alone').replace(/\bown /g, '');
  if (!/\b(?:no|not)\b/.test(text)) text = text.replace(/ than (?:is )?(?:right )?(?:now|currently|at moment)$/, '');
  text = text.replace(AFTER_IF, (_, who: string, past: string) => `if ${who}${PAST[past] ?? past}`);
  text = text.replace(HEDGE, '').replace(PRAISE, '');
  text = text.replace(/\b(?:at first|(?:at|in|from) (?:very )?outset|to (?:start|begin) with$)/, 'at start');
  // `no echo or reverb`: neither of the two.
  if (/^(?:\w+ ){0,4}(?:no|without|remove|rid of|neither)\b/.test(text)) text = text.replace(/ n?or /g, ' and ');
  return withoutDegree(text);
}
