/** Words of a clause that ask for nothing: polite words around a wish, praise, thanks. */
import { addVocabulary } from './terms.ts';

/** Polite words before a wish. Each may follow another. */
const LEADS = [
  '(?:would be|is) (?:nice|nicer|great|cool|good|better|awesome|lovely|perfect|best) (?:if(?: (?:we|you|i))?|to|with)(?: have| get| be| hear)?',
  'if you could|if possible|if you can|would you mind|do you mind|mind|feel free to',
  'hey|hi|hello|yo|ok|okay|so|well|now|then|and|but|oh|hmm|um|yes|yeah|alright|right|just|simply|first(?! #)|next(?! #)|finally|lastly|secondly|firstly|instead|plus|like|honestly|personally|basically|anyway|ideally|preferably|hopefully|possibly|because',
  '(?:i|we) (?:do |just )?(?:think|guess|feel|feel like|believe|find|reckon|suppose|am thinking|was thinking|would say)(?: of)?',
  '(?:i|we) (?:am |was |are |were )?(?:just )?(?:hoping|wondering|looking|after)(?: for| if)?',
  '(?:only|one|main|biggest|other) (?:issue|problem|complaint|note|request|change|remark|criticism|small issue) ?(?:i have |for me )?(?:is|was|would be)?|(?:just )?(?:only|one) (?:is|more|would change is)',
  '(?:can|could|would|will|may|might) (?:you|we|i)(?: (?:have|get|make|do|try|give|hear|please|just|let|possibly))?',
  '(?:i|we|you) (?:would |only |just )?(?:want|need|like|love|prefer|wish|wish for)(?: (?:to have|to hear|to get|to see|to|you to))?(?: be| have)?',
  '(?:i|we) would (?:like|love|prefer|rather|appreciate)(?: if)?(?: have| hear| see)?',
  '(?:is|would be) possible(?: to| for)?(?: have| get| make| hear)?|(?:is there )?(?:chance|way)(?: to| of| for| you could| you can| we could)(?: have| get| make| hear)?',
  '(?:what|all) (?:i|we) (?:want|need|would like|would love|miss|am missing) (?:is|are)',
  '(?:you|we|i) (?:would(?! not\\b)|should|could|can|must|need to|have to|might)',
  '(?:would like|would love|want|need|needs|wanting|wish|hope)(?: to have| to hear| to be| to)?',
  '(?:give|get|show|bring|make|do)(?: me| us)',
  'make sure(?: to)?|let us|try to|try and|make|let|have|try|do|go|go for|go with|get|keep|bring|how about|what about|what if(?: (?:we|you|i))?|why not|see',
  '(?:should|could|needs to|need to|has to|have to|must|to|can|will|would|might)(?: be| have| get| sound| feel| come| go| become)?',
  'be|being|has(?! no\\b)|with|while|for|there (?:should|could|must|needs to) be|there (?:is|are)(?! (?:no|not)\\b)',
  'everything|all|thing|version|music|mix|guys|please',
];
/** Polite words after a wish. */
const TAILS = [
  'thanks|thank you|many thanks|thx|ty|ta|cheers|now|overall|in general|generally|if possible|if you can|if you could|if is possible|if is ok|if you do not mind|for me|to me|for my taste',
  '(?:would be|is|are|sounds|sound|feels) (?:nice|great|good|cool|better|lovely|awesome|perfect|best|fine|so much better)',
  'instead|time|next time|this time|for now|ok|okay|too|as well|then|right|yeah|man|bro|mate|dude|though|i think|i guess|imo|imho|tbh|haha|lol|throughout|all way through|all way|whole time|whole way|whole way through|constantly|from start to end|there|here|already|in total|would do|honestly|possibly|for sure|you know|at all|x',
  '(?:would|could|might|will) (?:suit|fit|work|sound|feel|be|do|go)(?: (?:better|best|nicer|well|good|fine|great|nice|perfect|ideal|lovely))?',
  '(?:suits|fits|works|feels|is|are|would be) (?:better|best|nicer|more fitting|right|enough|plenty)',
  '(?:of|in|on|from) (?:both|all)(?: songs| tracks)?',
];
/** What a mashup is for, after a wish. No one misspells these for words of a pattern. */
const PURPOSE =
  'for (?:taste|liking|ears|wedding|party|gym|workout|run|running|jogging|walk|walking|dance|dancing|dance class|class|yoga|show|gig|car|drive|driving|club|bar|radio|school|birthday|birthday party|friends?|mum|mom|dad|wife|husband|girlfriend|boyfriend|daughter|son|kids|sister|brother|videos?|reels?|tiktok|story|instagram|youtube|ringtone|concert|performance|choir|routine)';
const LEAD = new RegExp(`^(?:${LEADS.join('|')})(?: |$)`);
const TAIL = new RegExp(`(?:^| )(?:${[...TAILS, PURPOSE].join('|')})$`);

/** Clauses that ask for nothing. */
const COURTESY = new RegExp(
  `^(?:${[
    '(?:i |you |we )?(?:absolutely |totally )?(?:love|like|liked|loved|enjoy|enjoyed)(?: so far| lot| much)?',
    '(?:is |was |sounds |looks )?(?:so |pretty |already |very |not )?(?:great|nice|good|cool|awesome|amazing|perfect|excellent|fantastic|brilliant|wicked|sick|dope|lovely|bad|fun|fire|sweet|beautiful|incredible|superb|decent|not bad)(?: one| job| work| start| stuff| so far| already)*',
    'thanks|thank you|many thanks|thx|ty|ta|cheers|(?:kind |best |warm )?regards|best wishes|all best|hi|hey|hello|hi there|hey there|yo|ok|okay|well|yes|yeah|wow|well done|good morning|good evening|dear all|please|pls|haha|lol|hmm|oh|so',
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

/** What makes the sentence after it a wish: `I would like that the bass is louder`. */
const DESIRE =
  /^((?:.* )?(?:(?:want|would like|would love|would prefer|would appreciate|prefer|wish|hope|make|make sure|possible|so)(?: if)?|(?:nice|nicer|great|cool|good|better|lovely|perfect|best) if) (?:\S+ ){1,4}?)(?:is|are|was|were) /;

/** Says of the present that it is liked: `I like that the bass is too loud` is no wish. */
const LIKED = /^(?:i|we) (?:really |just |do )?(?:like|love|enjoy) (?!if ).*(?:is|are|was|were) /;

/** Returns the clause and what is left of it without polite words at its ends, the longest first. */
export function withoutPoliteWords(text: string): string[] {
  if (LIKED.test(text)) return [text];
  const desired = text.replace(DESIRE, '$1be ');
  return desired === text ? variantsOf(text) : [...variantsOf(text), ...variantsOf(desired)];
}

function variantsOf(text: string): string[] {
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
