/**
 * Reads what a user asks for in words, without a language model. A part of the text counts only if a rule matches it whole:
 * everything else is quoted as not understood, since a wrong reading is worse than none.
 */
import type { Reading, Wish, WishSong } from '../../schema.ts';
import { divide, type Clause } from './clauses.ts';
import { findQuantities } from './quantities.ts';
import type { Rule } from './rule.ts';
import { ARRANGEMENT_RULES } from './rules/arrangement.ts';
import { EDGE_RULES } from './rules/edges.ts';
import { EFFECT_RULES } from './rules/effects.ts';
import { LEVEL_RULES } from './rules/levels.ts';
import { SOURCE_RULES } from './rules/sources.ts';
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
  ...TIME_AND_PITCH_RULES,
];

const SENTENCE_END = /^[.!?;\n]$/;

/** Reads a text about a mashup of these songs. */
export function readWishes(text: string, songs: readonly WishSong[]): Reading {
  const shortened = text.slice(0, MAX_TEXT_LENGTH);
  const tokens = findQuantities(findSongs(tokenize(shortened), songs, shortened)).map(corrected);
  const reading: Reading = { understood: [], not_understood: [] };
  for (const sentence of sentencesOf(tokens)) {
    const clauses = divide(sentence, RULES, songs);
    for (const { wishes } of clauses) for (const wish of wishes ?? []) addWish(reading.understood, wish);
    reading.not_understood.push(...quotesOf(clauses, shortened));
  }
  return {
    understood: reading.understood.filter((wish) => !isExplained(wish, reading.understood)),
    not_understood: reading.not_understood.slice(0, MAX_QUOTES),
  };
}

const corrected = (token: Token): Token => (token.entity ? token : { ...token, text: correctSpelling(token.text) });

/** Adds a wish that is not there yet. */
function addWish(wishes: Wish[], wish: Wish): void {
  const text = JSON.stringify(wish);
  if (!wishes.some((each) => JSON.stringify(each) === text)) wishes.push(wish);
}

/** Whether another wish says exactly what this one says in general: `too long, cut 20 seconds`, `faster, 128 bpm`. */
function isExplained(wish: Wish, wishes: readonly Wish[]): boolean {
  if (wish.kind === 'length' && wish.by_sec === undefined)
    return wishes.some((each) => each.kind === 'length_exact' || (each.kind === 'length' && each.by_sec !== undefined));
  if (wish.kind === 'tempo' && wish.by_bpm === undefined)
    return wishes.some((each) => each.kind === 'tempo_exact' || (each.kind === 'tempo' && each.by_bpm !== undefined));
  return false;
}

function sentencesOf(tokens: readonly Token[]): Token[][] {
  const sentences: Token[][] = [[]];
  for (const token of tokens) {
    if (!token.entity && SENTENCE_END.test(token.text)) sentences.push([]);
    else sentences.at(-1)?.push(token);
  }
  return sentences.filter((sentence) => sentence.length > 0);
}

/** Quotes the clauses that are not understood. Neighbours are quoted as one. */
function quotesOf(clauses: readonly Clause[], text: string): string[] {
  const quotes: string[] = [];
  let from: number | undefined;
  let to = 0;
  for (const { tokens, wishes } of [...clauses, { tokens: [], wishes: [] }]) {
    const [first, last] = [tokens[0], tokens.at(-1)];
    if (wishes === null && first && last) [from, to] = [from ?? first.from, last.to];
    else if (from !== undefined) {
      quotes.push(text.slice(from, to));
      from = undefined;
    }
  }
  return quotes.map((quote) => quote.replace(/\s+/g, ' ').trim()).filter((quote) => quote !== '');
}
