/** Brings a clause into its normal form: no articles, no polite words, contractions written out, the degree apart. */
import { addVocabulary } from './terms.ts';
import { correctSpelling } from './spelling.ts';
import { isWord, type Token } from './tokens.ts';
import type { ClauseContext } from './rule.ts';

const CONTRACTIONS = new Map(Object.entries({
  "it's": 'it is', "that's": 'that is', thats: 'that is', "there's": 'there is', theres: 'there is', "i'd": 'i would', id: 'i would',
  "i'm": 'i am', im: 'i am', "let's": 'let us', lets: 'let us', "don't": 'do not', dont: 'do not', "doesn't": 'does not',
  doesnt: 'does not', "can't": 'can not', cant: 'can not', "couldn't": 'could not', couldnt: 'could not', "shouldn't": 'should not',
  shouldnt: 'should not', "mustn't": 'must not', "isn't": 'is not', isnt: 'is not', "aren't": 'are not', arent: 'are not',
  "won't": 'will not', "they're": 'they are', "i've": 'i have', wanna: 'want to', gimme: 'give me', cannot: 'can not', u: 'you', r: 'are', em: 'them',
  vol: 'volume', tho: 'though', w: 'with',
})); // prettier-ignore
/** Words without a meaning for the reading. */
const EMPTY = new Set(
  (
    'the that those these this my our a an some any it its mashup remix track song tune piece result thing please pls plz plss kindly ' +
    'really kinda actually maybe perhaps also quite whole entire own bit_of vibe vibes'
  ).split(' '),
);

const JOINERS = new Set([',', 'and', '&', '+', '/', 'n']);

/** Words of degree. What follows `too` and `so` is no degree: `too much bass`. */
const DEGREES: readonly ['little' | 'much', RegExp][] = [
  ['little', /(?<!\b(?:too|so|as|not) )\b(?:by )?(?:just )?(?:tiny bit|teeny bit|wee bit|small bit|little bit|little|bit|slightly|touch|tad|smidge|hair|somewhat)\b/],
  ['much', /(?<!\b(?:too|so|as|not) )\b(?:by )?(?:lots|lot|considerably|significantly|substantially|massively|super|very|heaps|loads|ton)\b/],
  ['much', /(?<!\b(?:too|so|as|not) )\b(?:much|way|far|even)\b(?= (?:too|more|less|fewer|\w+er)\b)/],
  ['much', /(?<!\b(?:too|so|as|not) )\bmuch$/],
]; // prettier-ignore

/** Polite words before a wish. Each may follow another. */
const LEADS = [
  'hey|hi|hello|yo|ok|okay|so|well|now|then|and|but|oh|hmm|um|yes|yeah|alright|just|simply|first|next|finally|lastly|secondly|firstly|instead',
  '(?:i|we) (?:think|guess|feel|feel like|believe|find)',
  '(?:can|could|would|will|may|might) (?:you|we|i)(?: (?:have|get|make|do|try|give|hear|please|just|let))?',
  '(?:i|we|you) (?:would |only |just )?(?:want|need|like|love|prefer|wish|wish for)(?: (?:to have|to hear|to get|to see|to|you to))?(?: be| have)?',
  '(?:i|we) would (?:like|love|prefer|rather)(?: have| hear| see)?',
  '(?:is|would be) possible(?: to| for)?(?: have| get| make| hear)?|is there (?:chance|way)(?: to| of| for)?(?: have| get| make| hear)?',
  '(?:you|we|i) (?:should|could|can|must|need to|have to|might)',
  '(?:would like|would love|want|need|needs|wanting)(?: to have| to hear| to be| to)?',
  '(?:give|get|show|bring|make|do)(?: me| us)',
  'make sure(?: to)?|let us|try to|try and|make|let|have|try|do|go|go for|go with|get|keep|bring|how about|what about|what if|why not|see',
  '(?:should|could|needs to|need to|has to|have to|must|to|can|will|would|might)(?: be| have| get| sound| feel| come| go| become)?',
  'be|is|are|being|has|with|while|for|there (?:should|could|must|needs to) be|there is|there are',
  'would be (?:nice|great|cool|good|better|awesome) (?:if|to)(?: have| get| be)?|if you could|if possible|if you can|would you mind|mind',
  'everything|all|thing|version|guys|please',
];
/** Polite words after a wish. */
const TAILS = [
  'thanks|thank you|thx|ty|cheers|now|overall|in general|generally|if possible|if you can|if you could|for me|to me|for my taste',
  '(?:would be|is|are|sounds|sound|feels) (?:nice|great|good|cool|better|lovely|awesome|perfect|best|fine|so much better)',
  'instead|time|next time|this time|ok|okay|too|as well|then|right|yeah|man|bro|mate|dude|though|i think|i guess|imo|imho|tbh|haha|lol|throughout|there|here|already|in total|would do',
  '(?:of|in|on|from) (?:both|all)(?: songs| tracks)?',
];
const LEAD = new RegExp(`^(?:${LEADS.join('|')})(?: |$)`);
const TAIL = new RegExp(`(?:^| )(?:${TAILS.join('|')})$`);

/** Clauses that ask for nothing. */
const COURTESY = new RegExp(
  `^(?:${[
    '(?:i |you |we )?(?:absolutely |totally )?(?:love|like|liked|loved|enjoy|enjoyed)(?: so far| lot| much)?',
    '(?:is |was |sounds |looks )?(?:so |pretty |already |very |not )?(?:great|nice|good|cool|awesome|amazing|perfect|excellent|fantastic|brilliant|wicked|sick|dope|lovely|bad)(?: one| job| work| start| stuff| so far| already)*',
    'thanks|thank you|thx|ty|cheers|hi|hey|hello|hi there|hey there|yo|ok|okay|well|yes|yeah|wow|well done|good morning|good evening|dear all|please|pls|haha|lol|hmm|oh|so',
    '(?:thanks|thank you) (?:so much|very much|a lot|lot|in advance|again)',
    '(?:keep|leave) (?:rest|everything|everything else|all else|others|rest of) ?(?:as is|as be|as was|same|unchanged|like now|alone|where is)?',
    '(?:rest|everything else|all else) (?:is |can |should )?(?:stay|stays|remain|be|is)? ?(?:fine|good|great|ok|perfect|same|as is|unchanged)',
    'everything else same|same songs|otherwise (?:great|good|perfect|fine|nice)',
  ].join('|')})$`,
);

for (const list of [LEADS, TAILS]) for (const pattern of list) addVocabulary(pattern.replace(/\(\?:/g, '('));
addVocabulary(
  'little slightly much considerably please mashup really actually maybe perhaps whole without because then also',
);

/** Returns the words of a token as they count for the reading. */
export function wordsOfToken(token: Token): string[] {
  if (token.entity) return [token.text];
  const text = CONTRACTIONS.get(token.text) ?? correctSpelling(token.text.replace(/'s$/, ''));
  return text.split(' ').filter((word) => !EMPTY.has(word));
}

/** A clause in normal form, with the degree that was in it. */
export type NormalClause = { text: string } & Pick<ClauseContext, 'degree'>;

/** Brings tokens into normal form. Marks and words that join become `and`. */
export function normalize(tokens: readonly Token[]): NormalClause {
  const words: string[] = [];
  for (const token of tokens) {
    if (JOINERS.has(token.text)) {
      if (words.length > 0 && words.at(-1) !== 'and') words.push('and');
    } else if (isWord(token)) words.push(...wordsOfToken(token));
  }
  let text = words.join(' ');
  // `no echo or reverb`: neither of the two.
  if (/^(?:\w+ ){0,4}(?:no|without|remove|rid of|neither)\b/.test(text)) text = text.replace(/ n?or /g, ' and ');
  let degree: ClauseContext['degree'] = {};
  for (const [name, pattern] of DEGREES) {
    const without = text.replace(pattern, ' ').replace(/\s+/g, ' ').trim();
    if (without === text) continue;
    text = without;
    if (degree.degree === undefined) degree = { degree: name };
  }
  return { text, degree };
}

/** Returns the clause and what is left of it without polite words at its ends, the longest first. */
export function withoutPoliteWords(text: string): string[] {
  const variants: string[] = [];
  for (let front = text; variants.length < 40; front = front.replace(LEAD, '')) {
    for (let back = front; ; back = back.replace(TAIL, '')) {
      if (!variants.includes(back)) variants.push(back);
      if (!TAIL.test(back)) break;
    }
    if (!LEAD.test(front)) break;
  }
  return variants;
}

/** Returns whether a clause asks for nothing. */
export const isCourtesy = (text: string): boolean => text === '' || COURTESY.test(text);
