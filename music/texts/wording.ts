/**
 * Which of several wordings of a sentence is used. Each sentence has three groups of wordings. A mashup uses one group for all of its
 * sentences, so mashups whose numbers are not equal modulo 3 share no sentence.
 */

/** Number of groups. */
export const WORDING_GROUPS = 3;

/** Wordings of a sentence by group. */
export type Wordings = readonly [readonly string[], readonly string[], readonly string[]];

/** Returns one wording of a sentence. `turn` alternates within the group, for sentences that a mashup may have more than once. */
export type Say = (wordings: Wordings, turn?: number) => string;

/** Returns the choice of wordings for a number, which is any integer from 0 on. */
export function wordingOf(number: number): Say {
  const group = number % WORDING_GROUPS;
  const start = Math.floor(number / WORDING_GROUPS);
  return (wordings, turn = 0) => {
    const own = wordings[group] ?? wordings[0];
    return own[(start + turn) % own.length] ?? '';
  };
}
