/** Divides a sentence into clauses: those that a rule matches whole, and the others. */
import type { Clause } from './clause.ts';
import type { ReadClause } from './clause-reader.ts';
import { splitInARow } from './in-a-row.ts';
import { widen, withoutReason } from './limits.ts';
import { isWord, type Token } from './tokens.ts';

/** Words and marks between clauses. They belong to none. */
const JOINER = /^(?:and|then|but|plus|n|[,&+/:–—-])$/;
/** Words that begin a clause and belong to it. */
const OPENER = /^(?:with|without|while|more|less|fewer|no|because|cos|cuz|coz|'cause)$/;
const SAYS = /^(?:is|are|was|were|there's|theres|has|have|had|got)$/;
/** A clause is looked for over this number of places where it could end: lists of stems have joiners. */
const MAX_ENDS = 5;
/** What begins a sentence after `so`. */
const AFTER_SO =
  /^(?:that|i|we|you|it|they|people|everyone|my|our|the|turn|make|bring|can|could|please|lower|raise|put|cut|let|just|give|use|add|remove|take|speed|slow|keep|start|end|maybe|perhaps)$/;

/** Places where a clause may begin or end. */
function findPlaces(tokens: readonly Token[]): { starts: number[]; isJoiner: (at: number) => boolean } {
  const isJoiner = (at: number): boolean => JOINER.test(tokens[at]?.text ?? '');
  // `there is no bass` says how it is.
  const isOpener = (at: number): boolean =>
    OPENER.test(tokens[at]?.text ?? '') && !(tokens[at]?.text === 'no' && SAYS.test(tokens[at - 1]?.text ?? ''));
  // `at 130 bpm`, `in A minor` after another wish.
  const isMeasure = (at: number): boolean =>
    /^(?:at|in)$/.test(tokens[at]?.text ?? '') && /^#[sbk]/.test(tokens[at + 1]?.text ?? '');
  // `so i can dance`, `so turn it down`, and not `not so loud`.
  const isPurpose = (at: number): boolean => tokens[at]?.text === 'so' && AFTER_SO.test(tokens[at + 1]?.text ?? '');
  const starts = tokens.flatMap((token, at) =>
    !isJoiner(at) && (at === 0 || isJoiner(at - 1) || isOpener(at) || isMeasure(at) || isPurpose(at)) ? [at] : [],
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
    !/^(?:about|if)$/.test(second ?? '') &&
    !/^what (?:i|we) /.test(words.join(' '))
  );
}

/** Divides a sentence so that as few words as possible are left over, in as few clauses as possible. */
export function divide(tokens: readonly Token[], read: ReadClause): Clause[] {
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
      const wishes = read(clause);
      if (!rest || (wishes === null && to > from + 1)) continue;
      const cost = rest.cost + (wishes ? 1 : 2 + 10 * clause.length);
      const joiner = begin > 0 && isJoiner(begin - 1) ? (words[begin - 1]?.text ?? '') : '';
      if (cost < found.cost) found = { cost, clauses: [{ tokens: clause, wishes, joiner }, ...rest.clauses] };
    }
    best.set(from, found);
  }
  return widen((best.get(0)?.clauses ?? []).flatMap((clause) => splitInARow(clause, read)).map(withoutReason));
}
