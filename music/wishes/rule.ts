/** A rule: patterns of clauses, and the wishes that such a clause has. */
import type { Wish, WishSong } from '../../schema.ts';
import { compilePattern } from './terms.ts';

/** What a rule knows beside the clause. `degree` was found in it and removed from it. */
export interface ClauseContext {
  songs: readonly WishSong[];
  degree: { degree?: 'little' | 'much' };
}

/** Captured terms by name; '' for those that the clause does not have. */
type Groups = Readonly<Record<string, string>>;
type Build = (groups: Groups, context: ClauseContext) => readonly Wish[] | null;

/** Returns the wishes of a clause in normal form; null if the rule does not match it whole. */
export type Rule = (clause: string, context: ClauseContext) => readonly Wish[] | null;

/** Whether a captured term is a quantity of zero. No wish has one: `0 bpm`, `0 dB louder`. */
const isZero = (term: string | undefined): boolean => /^#[a-z]0$/.test(term ?? '');

/** Makes a rule. `build` may return null: then the next rule is tried. */
export function rule(patterns: readonly string[], build: Build): Rule {
  const compiled = patterns.map(compilePattern);
  return (clause, context) => {
    for (const pattern of compiled) {
      const match = pattern.exec(clause);
      if (!match || Object.values(match.groups ?? {}).some(isZero)) continue;
      const groups: Groups = new Proxy(match.groups ?? {}, { get: (all, name) => all[String(name)] ?? '' });
      const wishes = build(groups, context);
      if (wishes) return wishes;
    }
    return null;
  };
}

/** Makes a rule whose wishes do not depend on the clause. */
export const fixed = (wish: Wish, ...patterns: string[]): Rule => rule(patterns, () => [wish]);

/** Returns the value of a captured quantity. */
export const valueOf = (text: string): number => Number(text.slice(2));

/** Returns the id of a song by its position. */
export const songId = (context: ClauseContext, index: number): string => context.songs[index]?.song_id ?? '';
