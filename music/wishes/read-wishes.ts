/**
 * Reads what a user asks for in words, without a language model. A part of the text counts only if a rule matches it whole:
 * everything else is quoted as not understood, since a wrong reading is worse than none.
 */
import type { Reading, Wish, WishSong } from '../../schema.ts';
import { makeReader } from './clause-reader.ts';
import type { Clause } from './clause.ts';
import { divide } from './clauses.ts';
import { contradictoryWishes } from './contradictions.ts';
import { isCorrection } from './limits.ts';
import { isContraction } from './normal-form.ts';
import { resolvePronouns } from './pronouns.ts';
import { findQuantities } from './quantities.ts';
import type { Rule } from './rule.ts';
import { ARRANGEMENT_RULES } from './rules/arrangement.ts';
import { EDGE_RULES } from './rules/edges.ts';
import { EFFECT_RULES } from './rules/effects.ts';
import { LEVEL_RULES } from './rules/levels.ts';
import { SOURCE_RULES } from './rules/sources.ts';
import { PROPORTION_RULES } from './rules/proportions.ts';
import { TIME_AND_PITCH_RULES } from './rules/time-and-pitch.ts';
import { findSongs } from './songs.ts';
import { correctSpelling } from './spelling.ts';
import { tokenize, type Token } from './tokens.ts';

/** Longer texts are cut off. */
const MAX_TEXT_LENGTH = 2_000;
const MAX_QUOTES = 10;

/** In order: the first rule that matches a clause is used. */
const RULES: readonly Rule[] = [
  ...EDGE_RULES,
  ...SOURCE_RULES,
  ...EFFECT_RULES,
  ...LEVEL_RULES,
  ...ARRANGEMENT_RULES,
  ...PROPORTION_RULES,
  ...TIME_AND_PITCH_RULES,
];

const SENTENCE_END = /^[.!?;\n]$/;

/** Reads a text about a mashup of these songs. Wishes that exclude each other are quoted, and are no wishes. */
export function readWishes(text: string, songs: readonly WishSong[]): Reading {
  const shortened = text.slice(0, MAX_TEXT_LENGTH);
  const tokens = findQuantities(findSongs(tokenize(shortened), songs, shortened)).map(corrected);
  const read = makeReader(RULES, songs);
  const divided = sentencesOf(tokens).map((sentence) => divide(sentence, read));
  const sentences = takeBack(resolvePronouns(divided, read));
  const contrary = contradictoryWishes(sentences.flat().flatMap(({ wishes }) => wishes ?? []));
  const stateOf = ({ wishes }: Clause): LeftOver | undefined =>
    wishes === null ? 'unread' : wishes.some((wish) => contrary.has(wish)) ? 'contradictory' : undefined;
  const understood: Wish[] = [];
  for (const { wishes } of sentences.flat())
    for (const wish of wishes ?? []) if (!contrary.has(wish)) addWish(understood, wish);
  const quotes = sentences.flatMap((clauses) => quotesOf(clauses, stateOf, shortened)).slice(0, MAX_QUOTES);
  const contradictory = quotes.filter(({ state }) => state === 'contradictory').map(({ text: quote }) => quote);
  return {
    understood: understood.filter((wish) => !isExplained(wish, understood)),
    not_understood: quotes.map(({ text: quote }) => quote),
    ...(contradictory.length > 0 ? { contradictory } : {}),
  };
}

const corrected = (token: Token): Token =>
  token.entity || isContraction(token.text) ? token : { ...token, text: correctSpelling(token.text) };

/** Takes the last wish of a sentence back that the next sentence corrects: `More drums. Scratch that.` */
const takeBack = (sentences: readonly Clause[][]): Clause[][] =>
  sentences.map((clauses, at) => {
    const next = sentences[at + 1]?.[0];
    if (next === undefined || !isCorrection(next)) return clauses;
    return clauses.map((clause, index) => (index === clauses.length - 1 ? { ...clause, wishes: null } : clause));
  });

/** Adds a wish that is not there yet. */
function addWish(wishes: Wish[], wish: Wish): void {
  const text = JSON.stringify(wish);
  if (!wishes.some((each) => JSON.stringify(each) === text)) wishes.push(wish);
}

/** A wish without its degree. */
const withoutDegree = (wish: Wish): string => JSON.stringify({ ...wish, degree: undefined });

/**
 * Whether another wish says exactly what this one says in general: `too long, cut 20 seconds`, `faster, 128 bpm`. Of two wishes that
 * differ in their degrees alone the last one counts: `a bit boring, make it a lot livelier`.
 */
function isExplained(wish: Wish, wishes: readonly Wish[]): boolean {
  if (wishes.slice(wishes.indexOf(wish) + 1).some((later) => withoutDegree(later) === withoutDegree(wish))) return true;
  if (wish.kind === 'key' && Math.abs(wish.semitones) === 1)
    return wishes.some(
      (each) => each.kind === 'key_exact' || (each.kind === 'key' && each.semitones * wish.semitones > 1),
    );
  if ((wish.kind !== 'length' && wish.kind !== 'tempo') || hasAmount(wish)) return false;
  return wishes.some(
    (each) =>
      each.kind === `${wish.kind}_exact` ||
      each.kind === `${wish.kind}_limit` ||
      (each.kind === wish.kind && hasAmount(each)),
  );
}

/** Whether a wish says by how much the length or the tempo changes. */
const hasAmount = (wish: Wish): boolean =>
  (wish.kind === 'length' && (wish.by_sec ?? wish.by_percent) !== undefined) ||
  (wish.kind === 'tempo' && (wish.by_bpm ?? wish.by_percent) !== undefined);

function sentencesOf(tokens: readonly Token[]): Token[][] {
  const sentences: Token[][] = [[]];
  for (const token of tokens) {
    if (!token.entity && SENTENCE_END.test(token.text)) sentences.push([]);
    else sentences.at(-1)?.push(token);
  }
  return sentences.filter((sentence) => sentence.length > 0);
}

/** Why a clause is left over. */
type LeftOver = 'unread' | 'contradictory';
type Quote = { text: string; state: LeftOver };

/** Quotes the clauses that are left over. Neighbours that are so for the same reason are quoted as one. */
function quotesOf(
  clauses: readonly Clause[],
  stateOf: (clause: Clause) => LeftOver | undefined,
  text: string,
): Quote[] {
  const spans: { from: number; to: number; state: LeftOver; last: number }[] = [];
  clauses.forEach((clause, index) => {
    const [first, last, state] = [clause.tokens[0], clause.tokens.at(-1), stateOf(clause)];
    if (!state || !first || !last) return;
    const before = spans.at(-1);
    if (before?.state === state && before.last === index - 1) Object.assign(before, { to: last.to, last: index });
    else spans.push({ from: first.from, to: last.to, state, last: index });
  });
  return spans
    .map(({ from, to, state }) => ({ text: text.slice(from, to).replace(/\s+/g, ' ').trim(), state }))
    .filter((quote) => quote.text !== '');
}
