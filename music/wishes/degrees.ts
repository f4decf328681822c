/** Words of degree and of comparison in a clause: `quite a bit shorter`, `more loud`, `it is a bit slow`. */
import type { ClauseContext } from './rule.ts';

/** What follows `too` and `so` is no degree: `too much bass`. */
const NOT_AFTER = '(?<!\\b(?:too|so|as|not) )\\b';
const by = (words: string): RegExp => new RegExp(`${NOT_AFTER}(?:by )?(?:just )?(?:${words})\\b`);
const DEGREES: readonly ['little' | 'much', RegExp][] = [
  ['much', by('(?:quite|good|fair|big|nice) (?:little )?(?:bit|lot|amount)|(?:good|great) deal|(?:fair|good) few notches')],
  ['little', by('(?:(?:tiny|teeny|tiny little|wee|small|little|slight) )?(?:bit|tad|(?<!(?:take|kick|step|bring|crank|tone) (?:up|down) )notch|smidge|smidgen|smidgeon|hair|touch|fraction)|little|slightly|somewhat|(?:ever )?so slightly|marginally')],
  ['much', by('lots|lot|considerably|significantly|substantially|massively|super|very|heaps|loads|tons?|hugely|drastically|dramatically|majorly|big time|so much|seriously|extremely')],
  ['much', new RegExp(`${NOT_AFTER}(?:much|way|far|even|miles)\\b(?= (?:too|more|less|fewer|\\w+er)\\b)`)],
  ['much', new RegExp(`${NOT_AFTER}much$`)],
]; // prettier-ignore

/** `more loud` is written for `louder`, and so is `more louder`. */
const COMPARATIVES: Record<string, string> = {
  loud: 'louder', loudly: 'louder', quiet: 'quieter', quietly: 'quieter', soft: 'softer', softly: 'softer', strong: 'stronger', fast: 'faster', quick: 'faster',
  quickly: 'faster', slow: 'slower', slowly: 'slower', long: 'longer', short: 'shorter', high: 'higher', low: 'lower', hard: 'harder', smooth: 'smoother',
  smoothly: 'smoother', calm: 'calmer', big: 'bigger', early: 'earlier', late: 'later', soon: 'sooner', weak: 'weaker', heavy: 'heavier', wide: 'wider',
}; // prettier-ignore
const MORE_ADJECTIVE = new RegExp(`\\bmore (${Object.keys(COMPARATIVES).join('|')})\\b(?! end\\b)`, 'g');
const MORE_COMPARATIVE = new RegExp(`\\bmore (${Object.values(COMPARATIVES).join('|')})\\b`, 'g');

/** Adjectives of complaints: `a bit slow` says `a bit too slow`. */
const COMPLAINT =
  '(?:loud|quiet|soft|slow|sluggish|fast|quick|rushed|long|lengthy|short|high|low|boring|dull|flat|tame|sleepy|calm|mellow|hectic|busy|intense|abrupt|sudden|hard|harsh|rough|choppy|jumpy|jarring|sharp|strong|weak|heavy|faint|thin|aggressive|overpowering|prominent|buried|much)';
const PRESENT = '(?:is|are|was|were|sounds?|feels?|seems?|comes?|gets?|goes|runs)';
const MILDLY =
  '(?:just |still )?(little bit|bit|little|tad|touch|slightly|somewhat|rather|kinda|kind of|sort of)(?: on)?';
/** `a bit slow` is said of what is: after a verb in the present, or alone. */
const MILD = [
  new RegExp(`^((?:.* )?${PRESENT} )${MILDLY} (?=${COMPLAINT}\\b)`),
  new RegExp(`^()${MILDLY} (?=${COMPLAINT}(?: side)?$)`),
];

/** Writes comparisons as the patterns have them. */
function plainComparison(text: string): string {
  const compared = text
    .replace(MORE_ADJECTIVE, (_, adjective: string) => COMPARATIVES[adjective] ?? '')
    .replace(MORE_COMPARATIVE, '$1')
    .replace(new RegExp(`\\btoo much (?=${COMPLAINT}$)`), 'too ')
    .replace(new RegExp(`\\bnot enough (${COMPLAINT})$`), 'not $1 enough')
    .replace(/ side$/, '');
  return MILD.reduce((each, pattern) => each.replace(pattern, '$1$2 too '), compared)
    .replace(/\b(?:kind|sort) of /g, '')
    .replace(/\bkinda /g, '');
}

/** Takes the degree out of a clause. */
export function withoutDegree(clause: string): { text: string } & Pick<ClauseContext, 'degree'> {
  let text = plainComparison(clause);
  let degree: ClauseContext['degree'] = {};
  for (const [name, pattern] of DEGREES) {
    const without = text.replace(pattern, ' ').replace(/\s+/g, ' ').trim();
    if (without === text) continue;
    text = without;
    if (degree.degree === undefined) degree = { degree: name };
  }
  return { text: text.replace(/\bquite /g, ''), degree };
}
