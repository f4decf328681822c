/** Reads wishes that follow each other without a word or a mark between them: `start quiet end loud`. */
import type { ReadClause } from './clause-reader.ts';
import type { Clause } from './clause.ts';
import { LIMIT } from './limits.ts';
import { normalize } from './normal-form.ts';
import type { Token } from './tokens.ts';

const MAX_WORDS = 16;
const MAX_WISHES = 5;
/** A wish in a row has at least two words: in `fade out faster` the last one belongs to the others. */
const MIN_WORDS = 2;

/** Divides a clause that is not understood into wishes, if it is nothing but wishes. */
export function splitInARow(clause: Clause, read: ReadClause): Clause[] {
  if (clause.wishes !== null || clause.tokens.length > MAX_WORDS || clause.tokens.length < 2 * MIN_WORDS)
    return [clause];
  const parts = wishesInARow(clause.tokens, read, MAX_WISHES);
  if (!parts) return [clause];
  return parts.map((part, at) => ({ ...part, joiner: at === 0 ? clause.joiner : 'and' }));
}

/** The fewest wishes that the words are, one after another; undefined if they are not. */
function wishesInARow(tokens: readonly Token[], read: ReadClause, most: number): Clause[] | undefined {
  const best: (Clause[] | undefined)[] = [[]];
  for (let to = 1; to <= tokens.length; to++)
    for (let from = 0; from < to; from++) {
      const before = best[from];
      const known = best[to];
      if (!before || before.length >= most || (known && known.length <= before.length + 1)) continue;
      const words = tokens.slice(from, to);
      if (LIMIT.test(words[0]?.text ?? '') || normalize(words).text.split(' ').length < MIN_WORDS) continue;
      const wishes = read(words);
      if (wishes && wishes.length > 0) best[to] = [...before, { tokens: words, wishes, joiner: 'and' }];
    }
  return best[tokens.length];
}
