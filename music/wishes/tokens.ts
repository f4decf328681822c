/** Splits a text into words and punctuation. Each token knows its place in the text, so that parts can be quoted. */

/** A word in lower case without accents, a punctuation mark, or an entity such as a song. `from`, `to`: its place. */
export interface Token {
  text: string;
  from: number;
  to: number;
  /** Song or quantity that the token stands for. */
  entity?: Entity;
}

/** What a token stands for beside its word. Songs are counted from 0; `one_voice` is the only song with a voice. */
export type Entity =
  | { kind: 'song'; index: number }
  | { kind: 'seconds' | 'bpm' | 'semitones' | 'decibels' | 'percent' | 'times' | 'number'; value: number }
  | { kind: 'key'; name: string };

/** `w/` and `w/o`, a range of numbers, a number with its sign, with decimals, as mm:ss or in percent, a word with inner apostrophes or `#`, or one mark. */
const TOKEN =
  /\bw\/o?(?!\p{L})|\d+(?:[-–]\d+)+|(?:(?<=^|\s)[-−–+])?\d+(?::\d{2}|[.,]\d+)?(?:\s?%)?|[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*[#♯♭]?|\n|[^\s\p{L}\p{M}\d]/gu;

/** Returns a word in lower case without accents, with straight apostrophes. */
export function plainWord(word: string): string {
  return word.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[’`´]/g, "'").toLowerCase();
}

/** Splits a text into tokens. */
export function tokenize(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((match) => ({
    text: plainWord(match[0]),
    from: match.index,
    to: match.index + match[0].length,
  }));
}

/** Returns whether a token is a word or an entity. */
export const isWord = (token: Token): boolean => token.entity !== undefined || /^[-−–+]?[\p{L}\d]/u.test(token.text);

/** Joins consecutive tokens to one that stands for an entity. */
export function joinTokens(tokens: readonly Token[], text: string, entity: Entity): Token {
  return { text, from: tokens[0]?.from ?? 0, to: tokens.at(-1)?.to ?? 0, entity };
}
