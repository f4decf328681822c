/** Reads one clause by the rules. */
import type { Wish } from '../../schema.ts';
import { normalize } from './normal-form.ts';
import { isCourtesy, withoutPoliteWords } from './polite-words.ts';
import type { ClauseContext, Rule } from './rule.ts';
import { isVocabulary } from './terms.ts';
import type { Token } from './tokens.ts';

const MAX_WORDS = 32;
const MAX_LETTERS = 300;

/** Returns the wishes of a clause; null if no rule matches it whole. */
export type ReadClause = (tokens: readonly Token[]) => Wish[] | null;

/** Patterns match nothing else, so the rules need not be tried. */
const isReadable = (text: string): boolean =>
  text.split(' ').every((word) => word === '' || /^[@#]/.test(word) || isVocabulary(word));

/** Polite words are taken away step by step; the first form that a rule matches is used. */
function readText(text: string, rules: readonly Rule[], context: ClauseContext): readonly Wish[] | null {
  const variants = withoutPoliteWords(text);
  for (const variant of variants.filter(isReadable))
    for (const rule of rules) {
      const wishes = rule(variant, context);
      if (wishes) return wishes;
    }
  return variants.some(isCourtesy) ? [] : null;
}

/** Makes a reader for the clauses of one text. What it has read once it knows. */
export function makeReader(rules: readonly Rule[], songs: ClauseContext['songs']): ReadClause {
  const known = new Map<string, readonly Wish[] | null>();
  return (tokens) => {
    if (tokens.length > MAX_WORDS) return null;
    const { text, degree } = normalize(tokens);
    if (text.length > MAX_LETTERS) return null;
    const name = `${text} ${degree.degree ?? ''}`;
    let wishes = known.get(name);
    if (wishes === undefined) known.set(name, (wishes = readText(text, rules, { songs, degree })));
    return wishes && wishes.map((wish) => ({ ...wish }));
  };
}
