/** Rules of the scoring service. */
import { expect, NotChecked } from '../rule.ts';
import type { Rule } from '../rule.ts';
import { describe } from '../request.ts';
import { ContractScore, mismatch } from '../schemas.ts';
import { COMMON_RULES, JSON_RULES } from './common.ts';
import type { MakeBody } from './common.ts';
import { sampleAnalysis } from './sample-analyses.ts';

/** Allowed difference of a weighted score. */
const TOLERANCE = 0.5;

/** The valid request. */
export const scoringBody: MakeBody = () => ({
  song1_analysis: sampleAnalysis(0),
  song2_analysis: sampleAnalysis(1),
  unknown_member: true,
});

export const SCORING_RULES: readonly Rule[] = [
  ...COMMON_RULES,
  ...JSON_RULES,
  {
    name: 'score-is-complete',
    text: 'The answer has `overall_score`, four `dimension_scores`, the breakdown, recommendations and warnings.',
    async check({ work }) {
      const fault = mismatch(ContractScore, (await work()).json);
      expect(fault === undefined, fault ?? '');
    },
  },
  {
    name: 'scores-in-range',
    text: 'With analyses in their ranges, scores are within 0 to 100.',
    async check({ work }) {
      const score = ContractScore.safeParse((await work()).json).data;
      if (score === undefined) throw new NotChecked('the score is not complete');
      const all = [score.overall_score, ...Object.values(score.dimension_scores)];
      expect(
        all.every((value) => Number(value) >= 0 && Number(value) <= 100),
        `they are ${all.join(', ')}`,
      );
    },
  },
  {
    name: 'same-request-same-score',
    text: 'An equal request gives an equal score.',
    async check(probe) {
      const first = ContractScore.safeParse((await probe.work()).json).data?.overall_score;
      const again = await probe.send('POST', probe.path, JSON.stringify(scoringBody(probe)));
      const second = ContractScore.safeParse(again.json).data?.overall_score;
      expect(first === second, `they are ${first} and ${second}`);
    },
  },
  {
    name: 'follows-weights',
    text: 'With the whole weight on one dimension, `overall_score` is the score of that dimension.',
    async check(probe) {
      if (!ContractScore.safeParse((await probe.work()).json).success)
        throw new NotChecked('the score is not complete');
      const weights = { harmonic: 0, rhythmic: 1, spectral: 0, vocal: 0 };
      const reply = await probe.post('weighted', { ...scoringBody(probe), user_weights: weights });
      const score = ContractScore.safeParse(reply.json).data;
      expect(score !== undefined, `the answer is ${describe(reply)}`);
      const rhythmic = Number(score.dimension_scores.rhythmic);
      expect(
        Math.abs(score.overall_score - rhythmic) < TOLERANCE,
        `it is ${score.overall_score} instead of ${rhythmic}`,
      );
    },
  },
];
