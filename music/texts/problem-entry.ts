/** An entry of the list of problems and solutions. */
import type { AnalyzedSong, PairScore, Plan } from '../../schema.ts';
import type { Say, Wordings } from './wording.ts';

export type Problem = Plan['masterplan']['problems_and_solutions'][number];

/** `shifts`: semitones by which songs are shifted in fact, by song id. Absent: by the keys of songs and plan. */
export type ProblemContext = {
  plan: Plan;
  songs: readonly AnalyzedSong[];
  scores: readonly PairScore[];
  shifts?: Readonly<Record<string, number>> | undefined;
  say: Say;
};

/** Makes an entry of wordings. */
export const entry = (say: Say, problem: Wordings, solution: Wordings, turn = 0): Problem => ({
  problem: say(problem, turn),
  solution: say(solution, turn),
});
