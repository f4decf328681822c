/** Divides a sentence into clauses: those that a rule matches whole, and the others. */
import type { Wish } from '../../schema.ts';
import { isCourtesy, normalize, withoutPoliteWords } from './normal-form.ts';
import type { ClauseContext, Rule } from './rule.ts';
import { isWord, type Token } from './tokens.ts';

/** A clause with the wishes in it; null if it is not understood. `joiner` joins it to the one before. */
export type Clause = { tokens: readonly Token[]; wishes: readonly Wish[] | null; joiner: string };

/** Words and marks between clauses. They belong to none. */
const JOINER = /^(?:and|then|but|plus|n|[,&+/:–—-])$/;
/** Words that begin a clause and belong to it. */
const OPENER = /^(?:with|without|while|more|less|fewer|no)$/;
/** A clause is looked for over this number of places where it could end: lists of stems have joiners. */
const MAX_ENDS = 5;
const MAX_WORDS = 32;
const MAX_LETTERS = 300;

/** Reads one clause. Polite words are taken away step by step; the first form that a rule matches is used. */
function readClause(tokens: readonly Token[], rules: readonly Rule[], songs: ClauseContext['songs']): Wish[] | null {
  if (tokens.length > MAX_WORDS) return null;
  const { text, degree } = normalize(tokens);
  if (text.length > MAX_LETTERS) return null;
  const variants = withoutPoliteWords(text);
  for (const variant of variants)
    for (const rule of rules) {
      const wishes = rule(variant, { songs, degree });
      if (wishes) return [...wishes];
    }
  return variants.some(isCourtesy) ? [] : null;
}

/** Places where a clause may begin or end. */
function findPlaces(tokens: readonly Token[]): { starts: number[]; isJoiner: (at: number) => boolean } {
  const isJoiner = (at: number): boolean => JOINER.test(tokens[at]?.text ?? '');
  // `at 130 bpm`, `in A minor` after another wish.
  const isMeasure = (at: number): boolean =>
    /^(?:at|in)$/.test(tokens[at]?.text ?? '') && /^#[sbk]/.test(tokens[at + 1]?.text ?? '');
  const starts = tokens.flatMap((token, at) =>
    !isJoiner(at) && (at === 0 || isJoiner(at - 1) || OPENER.test(token.text) || isMeasure(at)) ? [at] : [],
  );
  return { starts, isJoiner };
}

/** The cheapest division of the tokens from a place on. */
type Division = { cost: number; clauses: Clause[] };

/** Questions that are wishes. */
const POLITE_QUESTION = /^is (?:it possible|there (?:a|any) (?:chance|way)) /;

/** Whether a sentence asks how things are: `is it longer`. `how about more bass`, `is it possible to` and `can you` are wishes. */
function isQuestion(tokens: readonly Token[]): boolean {
  const words = tokens.map((token) => token.text);
  const [first, second] = words;
  if (POLITE_QUESTION.test(`${words.slice(0, 4).join(' ')} `)) return false;
  return (
    /^(?:is|are|was|were|does|did|why|how|what|who|when|where|which)$/.test(first ?? '') &&
    !/^(?:about|if)$/.test(second ?? '')
  );
}

/** Divides a sentence so that as few words as possible are left over, in as few clauses as possible. */
export function divide(tokens: readonly Token[], rules: readonly Rule[], songs: ClauseContext['songs']): Clause[] {
  if (isQuestion(tokens)) return [{ tokens, wishes: null, joiner: '' }];
  const words = tokens.filter((token) => isWord(token) || JOINER.test(token.text));
  const { starts, isJoiner } = findPlaces(words);
  const best = new Map<number, Division>([[starts.length, { cost: 0, clauses: [] }]]);
  for (let from = starts.length - 1; from >= 0; from--) {
    const begin = starts[from] ?? 0;
    let found: Division = { cost: Infinity, clauses: [] };
    for (let to = from + 1; to <= Math.min(starts.length, from + MAX_ENDS); to++) {
      const rest = best.get(to);
      let end = starts[to] ?? words.length;
      while (end > begin && isJoiner(end - 1)) end--;
      const clause = words.slice(begin, end);
      const wishes = readClause(clause, rules, songs);
      if (!rest || (wishes === null && to > from + 1)) continue;
      const cost = rest.cost + (wishes ? 1 : 2 + 10 * clause.length);
      const joiner = begin > 0 && isJoiner(begin - 1) ? (words[begin - 1]?.text ?? '') : '';
      if (cost < found.cost) found = { cost, clauses: [{ tokens: clause, wishes, joiner }, ...rest.clauses] };
    }
    best.set(from, found);
  }
  return widen(best.get(0)?.clauses ?? []);
}

/** What takes back the wish before it: `more drums, I mean less drums`. */
const CORRECTION =
  /^(?:i mean|i meant|or rather|no wait|wait no|scratch that|strike that|forget that|never ?mind|on second thought)(?: |$)/;

/** Whether a clause that is not understood takes back what was before it. */
export const isCorrection = ({ tokens, wishes }: Clause): boolean =>
  wishes === null && CORRECTION.test(tokens.map(({ text }) => text).join(' '));

/** Words that limit a wish to a place, a time or a condition. */
const LIMIT =
  /^(?:only|just|in|at|during|when|whenever|where|until|till|after|before|for|on|except|unless|if|every|around|near|towards|from|between|not|apart|because|as|like)$/;
const PLACE =
  /^(?:verses?|chorus|choruses|bridge|breaks?|breakdown|middle|hook|refrain|half|section|part|buildup|solo|second|first|third|last)$/;

/**
 * Takes wishes back that a clause beside them limits: `more bass, but only in the second verse` is no wish for more bass
 * everywhere. What begins with a limit limits the rest of the sentence; later it limits what was before it. A correction takes
 * back the wish before it.
 */
function widen(clauses: readonly Clause[]): Clause[] {
  const result = clauses.map((clause) => ({ ...clause }));
  const unread = (from: number, to: number): void => {
    for (let i = Math.max(0, from); i <= to; i++) {
      const clause = result[i];
      if (clause) clause.wishes = null;
    }
  };
  clauses.forEach((clause, index) => {
    if (clause.wishes !== null) {
      // The clause belongs to the one before without a joiner: `a part with more bass`, and in `between 1:30 and 2:00`.
      const before = result[index - 1];
      const isPart =
        clause.joiner === '' || before?.tokens.some(({ text }) => /^(?:between|either|whether)$/.test(text));
      if (before?.wishes === null && isPart) unread(index, index);
      return;
    }
    const texts = clause.tokens.map((token) => token.text);
    if (isCorrection(clause)) unread(index - 1, index);
    const isLimit = LIMIT.test(texts[0] ?? '');
    if (isLimit && index === 0) unread(0, result.length - 1);
    else if (isLimit || texts.some((text) => PLACE.test(text))) {
      let first = index - 1;
      while (first > 0 && clauses[first]?.joiner === 'and') first--;
      unread(first, index);
    }
  });
  return result;
}
