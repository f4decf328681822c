/** Corrects slips in the words of a text: only where exactly one word of the patterns is a slip away. */
import { isCommonWord } from './common-words.ts';
import { isVocabulary, vocabularyWords } from './terms.ts';

const MIN_LETTERS = 4;
/** Of shorter words too many are a letter apart. */
const MIN_TARGET_LETTERS = 5;

/** Slips in short words, and frequent ones of more than one letter. */
const SHORT_SLIPS = new Map(
  Object.entries({
    ...{ 'w/': 'with', 'w/o': 'without', teh: 'the', hte: 'the', adn: 'and', nad: 'and', wiht: 'with', mor: 'more', les: 'less', bas: 'bass', bsas: 'bass', volumn: 'volume', thru: 'through', alot: 'lot', swop: 'swap', thruout: 'throughout' },
    ...{ rythm: 'rhythm', rythem: 'rhythm', beggining: 'beginning', begginning: 'beginning', accapella: 'acapella', begining: 'beginning' },
  }),
); // prettier-ignore

/** Whether one letter was left out, added, or exchanged for another, or two neighbours changed places. */
function isOneSlip(written: string, word: string): boolean {
  let start = 0;
  while (start < written.length && written[start] === word[start]) start++;
  const rest = (text: string, from: number): string => text.slice(from);
  if (start === 0) return false;
  const isMissing = rest(written, start) === rest(word, start + 1);
  const isAdded = rest(written, start + 1) === rest(word, start);
  const isOther = rest(written, start + 1) === rest(word, start + 1);
  return isMissing || isAdded || isOther || isExchange(written, word, start);
}

const isExchange = (written: string, word: string, at: number): boolean =>
  written[at] === word[at + 1] && written[at + 1] === word[at] && written.slice(at + 2) === word.slice(at + 2);

function isAnExchange(written: string, word: string): boolean {
  let start = 0;
  while (start < written.length && written[start] === word[start]) start++;
  return start > 0 && isExchange(written, word, start);
}

/** Whether the written word is the word with one letter doubled, or with two letters exchanged. */
function isShortSlip(written: string, word: string): boolean {
  if (written.replace(/(.)\1+/g, '$1$1') === word || written.replace(/(.)\1+/g, '$1') === word) return true;
  return isAnExchange(written, word);
}

/** Returns the word that is meant. A word that is known, common, short or near to several words stays as it is. */
export function correctSpelling(written: string): string {
  const short = SHORT_SLIPS.get(written);
  if (short !== undefined) return short;
  if (written.length < MIN_LETTERS || !/^[a-z]+$/.test(written)) return written;
  if (isVocabulary(written) || isCommonWord(written)) return written;
  const near: string[] = [];
  for (const word of vocabularyWords()) {
    if (Math.abs(word.length - written.length) > 2 || word[0] !== written[0] || word.length < MIN_LETTERS) continue;
    const isNear =
      word.length >= MIN_TARGET_LETTERS
        ? isOneSlip(written, word) || isShortSlip(written, word)
        : isShortSlip(written, word);
    if (isNear) near.push(word);
  }
  // Two letters in the wrong order are the likeliest slip, then a letter that was left out.
  const exchanged = near.filter((word) => word.length === written.length && isAnExchange(written, word));
  const left = near.filter((word) => word.length > written.length);
  const [only, ...others] = exchanged.length > 0 ? exchanged : left.length > 0 ? left : near;
  return only !== undefined && others.length === 0 ? only : written;
}
