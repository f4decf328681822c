/** Reads clauses that name a part of the clause before them by a pronoun: `the drums are annoying, turn them down`. */
import type { Wish } from '../../schema.ts';
import type { ReadClause } from './clause-reader.ts';
import type { Clause } from './clause.ts';
import { normalize } from './normal-form.ts';
import { DROP, SECTIONS } from './rules/arrangement.ts';
import { EDGE_NOUNS } from './rules/edges.ts';
import { EFFECT_NAMES } from './rules/effects.ts';
import { compilePattern } from './terms.ts';
import type { Token } from './tokens.ts';

/** A pronoun, alone or with its verb: `they`, `they're`. */
const PRONOUN = /^(it|they|them|those|these|that)(?:'(s|re))?$/;
const NAMED = ['{part}', EFFECT_NAMES, DROP, SECTIONS, EDGE_NOUNS].map(compilePattern);
/** A comparison alone goes on about what was named: `too many parts, fewer please`. */
const ALONE = /^(?:more|less|fewer|louder|quieter|softer)(?: please| pls)?$/;
const MAX_NAME_TOKENS = 6;
const MAX_COMMENT_TOKENS = 10;
/** Only wishes about parts and effects: `it` is mostly the mashup. */
const ABOUT_PARTS: ReadonlySet<Wish['kind']> = new Set([
  ...(['level', 'without', 'effect', 'edge', 'edge_part', 'drop', 'sections'] as const),
]);
const IS = /^(?:is|are|was|were|sounds?|feels?|seems?|gets?|keeps?|makes?)$/;

/** What a clause names, and where in it. */
type Name = { tokens: readonly Token[]; at: number };

/** Returns the first part or effect that a clause names, with all of its words. */
function firstName(tokens: readonly Token[]): Name | undefined {
  for (let at = 0; at < tokens.length; at++)
    for (let size = Math.min(MAX_NAME_TOKENS, tokens.length - at); size > 0; size--) {
      const words = tokens.slice(at, at + size);
      const { text } = normalize(words);
      if (NAMED.some((pattern) => pattern.test(text))) return { tokens: words, at };
    }
  return undefined;
}

/** The clause with what its pronoun stands for. */
function withName(tokens: readonly Token[], name: Name): Token[] | undefined {
  if (ALONE.test(tokens.map(({ text }) => text).join(' '))) return [...tokens, ...name.tokens];
  const at = tokens.findIndex((token) => !token.entity && PRONOUN.test(token.text));
  const pronoun = tokens[at];
  if (!pronoun) return undefined;
  const verb = { s: 'is', re: 'are' }[PRONOUN.exec(pronoun.text)?.[2] ?? ''];
  const is: Token[] = verb === undefined ? [] : [{ ...pronoun, text: verb }];
  return [...tokens.slice(0, at), ...name.tokens, ...is, ...tokens.slice(at + 1)];
}

/** Whether a clause only says how the part is that it names. */
const isComment = ({ tokens }: Clause, name: Name): boolean =>
  tokens.length <= MAX_COMMENT_TOKENS && name.at <= 2 && IS.test(tokens[name.at + name.tokens.length]?.text ?? '');

/** Reads the clauses of a text that are not understood with what their pronouns stand for. */
export function resolvePronouns(sentences: readonly Clause[][], read: ReadClause): Clause[][] {
  let before: Clause | undefined;
  return sentences.map((clauses) => {
    const result: Clause[] = [];
    for (const clause of clauses) {
      const resolved = before && clause.wishes === null ? resolve(clause, before, read) : undefined;
      if (resolved && before?.wishes === null && isSaid(before)) Object.assign(before, { wishes: [] });
      before = { ...(resolved ?? clause) };
      result.push(before);
    }
    return result;
  });
}

const isSaid = (clause: Clause): boolean => {
  const name = firstName(clause.tokens);
  return name !== undefined && isComment(clause, name);
};

function resolve(clause: Clause, before: Clause, read: ReadClause): Clause | undefined {
  const name = firstName(before.tokens);
  const tokens = name && withName(clause.tokens, name);
  const wishes = tokens ? read(tokens) : null;
  const isClear = wishes !== null && wishes.length > 0 && wishes.every(({ kind }) => ABOUT_PARTS.has(kind));
  return isClear ? { ...clause, wishes } : undefined;
}
