/** Searches for the best candidate: failed checks are corrected and the plan is rendered again, within a budget. */
import type { QualityCheck } from '../../../schema.ts';
import type { RenderPlan } from '../plan/plan.ts';
import type { Tuning } from '../plan/tuning.ts';
import { passesHardChecks } from '../quality/checks.ts';
import type { Correction } from './correction.ts';

/** How often each strategy is tried. Each candidate takes some seconds of two processors. A choice. */
const ATTEMPTS_PER_STRATEGY = 2;

/** One rendering of a plan with its corrections, and its quality checks. */
export type Candidate = { plan: RenderPlan; tuning: Tuning; checks: QualityCheck[] };

/** Proposes a correction of a candidate; undefined if it has none. */
export type CorrectionStrategy<T extends Candidate> = (
  candidate: T,
) => Correction | undefined | Promise<Correction | undefined>;

/** The failed hard checks: how many, and their distance from passing, each in units of its threshold but at least of 1. */
function failuresOf({ checks }: Candidate): { count: number; distance: number } {
  const failed = checks.filter(({ passed, kind }) => !passed && kind === 'hard');
  const distance = failed.reduce(
    (sum, { value, threshold }) => sum + Math.abs((value ?? threshold) - threshold) / Math.max(1, Math.abs(threshold)),
    0,
  );
  return { count: failed.length, distance };
}

/** Whether a candidate is at least as good as another: fewer failed checks, then a smaller distance from passing. */
function isAsGood(next: Candidate, current: Candidate): boolean {
  const [a, b] = [failuresOf(next), failuresOf(current)];
  return a.count < b.count || (a.count === b.count && a.distance <= b.distance + 1e-9);
}

/** Candidates with the same key sound the same. */
const candidateKey = (plan: RenderPlan, { semitones, cents, beats, starts }: Tuning): string =>
  JSON.stringify([plan.sections, ...[semitones, cents, beats, starts].map((each) => [...each].sort())]);

/**
 * Corrects a candidate until it passes its hard checks or no strategy has a new correction. A candidate that is at least as good
 * replaces the current one, and the strategies are tried again from the first. A worse one is dropped, and the next strategy is
 * tried.
 * @param strategies in the order in which they are tried, each twice at most
 * @param renderCandidate renders a corrected plan and checks it
 * @returns the best candidate, with the messages of the corrections that led to it
 */
export async function searchCorrections<T extends Candidate>(
  first: T,
  strategies: readonly CorrectionStrategy<T>[],
  renderCandidate: (plan: RenderPlan, tuning: Tuning) => Promise<T>,
): Promise<{ candidate: T; corrections: string[] }> {
  let candidate = first;
  const corrections: string[] = [];
  const known = new Set([candidateKey(first.plan, first.tuning)]);
  const attempts = strategies.map(() => 0);
  for (let next = 0; next < strategies.length && !passesHardChecks(candidate.checks);) {
    const index = next++;
    const correction = attempts[index]! < ATTEMPTS_PER_STRATEGY ? await strategies[index]!(candidate) : undefined;
    if (!correction) continue;
    const plan = correction.plan ?? candidate.plan;
    const key = candidateKey(plan, correction.tuning);
    if (known.has(key)) continue;
    known.add(key);
    attempts[index]!++;
    const corrected = await renderCandidate(plan, correction.tuning);
    if (!isAsGood(corrected, candidate)) continue;
    candidate = corrected;
    corrections.push(...correction.messages);
    next = 0;
  }
  return { candidate, corrections };
}
