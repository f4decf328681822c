/** Scores the reader on a table of phrasings. */
import { readWishes } from '../../music/wishes/read-wishes.ts';
import type { Wish } from '../../schema.ts';
import type { Phrasing } from './phrasing.ts';

/** `whole`: read as expected. `partly`: something is quoted that could be understood. `wrong`: anything else. */
export type Verdict = 'whole' | 'partly' | 'wrong';

const textOf = (wish: Wish): string => JSON.stringify(Object.entries(wish).toSorted());

/** Reads a phrasing and compares the wishes as a set. Each quote must have the core of the part that is expected there. */
export function judge({ songs, text, wishes, quoted = [] }: Phrasing): { verdict: Verdict; read: string } {
  const { understood, not_understood } = readWishes(text, songs);
  const wanted = new Set(wishes.map(textOf));
  const got = new Set(understood.map(textOf));
  const missing = wishes.filter((wish) => !got.has(textOf(wish)));
  const extra = understood.filter((wish) => !wanted.has(textOf(wish)));
  const areQuotesRight =
    not_understood.length === quoted.length &&
    quoted.every((core) => not_understood.some((quote) => quote.includes(core)));
  const isDropped = missing.length > 0 && not_understood.length === 0;
  const isUnquoted = quoted.length > 0 && not_understood.length === 0;
  const read = JSON.stringify({ understood, not_understood });
  if (extra.length > 0 || isDropped || isUnquoted) return { verdict: 'wrong', read };
  return { verdict: missing.length === 0 && areQuotesRight ? 'whole' : 'partly', read };
}
