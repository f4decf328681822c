/** Planning without a language model: the rule-based producer and the revision by rules. */
import { planWithWishes } from '../../music/producer/plan-with-wishes.ts';
import type { PlanResponse } from '../../schema.ts';
import type { Brief } from './prompt.ts';

/** Makes or revises a plan by rules. It lists what was understood, what changed and what could not be done. */
export function planByRules(brief: Brief): PlanResponse {
  const { plan, changes, cannot, understood, not_understood } = planWithWishes(brief);
  return { ...plan, source: 'rules', changes, cannot, understood, not_understood };
}
