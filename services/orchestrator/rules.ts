/** Planning without a language model: the rule-based producer and the revision by rules. */
import { producePlan } from '../../music/producer/producer.ts';
import { revisePlan } from '../../music/revision/revise.ts';
import type { PlanResponse } from '../../schema.ts';
import type { Brief } from './prompt.ts';

/** Makes or revises a plan by rules. A revision lists its changes and the wishes that it could not apply. */
export function planByRules(brief: Brief): PlanResponse {
  const { songs, scores, limits, seed, length_sec, wishes, previous, feedback } = brief;
  if (previous && feedback) {
    const { plan, changes, cannot } = revisePlan({ plan: previous, feedback, songs, limits });
    return { ...plan, source: 'rules', changes, cannot, ...(cannot.length > 0 ? { warning: cannot.join(' ') } : {}) };
  }
  const plan = producePlan({
    songs,
    scores,
    limits,
    seed,
    ...(length_sec === undefined ? {} : { length_sec }),
    ...(wishes === undefined ? {} : { wishes }),
  });
  return { ...plan, source: 'rules' };
}
