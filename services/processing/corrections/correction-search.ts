/** Takes of a plan: what sounds wrong in one is corrected and recorded again, as long as that helps and within a budget. */
import type { QualityCheck } from '../../../schema.ts';
import type { Correction } from './shift-changes.ts';
import { isSound } from '../quality/checks.ts';
import type { RenderPlan } from '../plan/plan.ts';
import type { Tuning } from '../plan/tuning.ts';

/** How often a way is tried: each take is some seconds of two processors. A choice. */
const TRIES = 2;

export type Take = { plan: RenderPlan; tuning: Tuning; checks: QualityCheck[] };

/** A way of correcting a take; undefined where it has nothing to offer. */
export type Way<T extends Take> = (take: T) => Correction | undefined | Promise<Correction | undefined>;

/** How much is wrong: hard checks that fail, and how far they are from passing, in units of their thresholds or their own. */
function faultsOf({ checks }: Take): { count: number; distance: number } {
  const failed = checks.filter(({ passed, kind }) => !passed && kind === 'hard');
  const distance = failed.reduce(
    (sum, { value, threshold }) => sum + Math.abs((value ?? threshold) - threshold) / Math.max(1, Math.abs(threshold)),
    0,
  );
  return { count: failed.length, distance };
}

/** Whether a take is no worse than another. */
function holdsUp(next: Take, take: Take): boolean {
  const [a, b] = [faultsOf(next), faultsOf(take)];
  return a.count < b.count || (a.count === b.count && a.distance <= b.distance + 1e-9);
}

/** Two corrections with the same name play the same. */
const nameOf = (plan: RenderPlan, { semitones, beats, starts }: Tuning): string =>
  JSON.stringify([plan.sections, ...[semitones, beats, starts].map((each) => [...each].sort())]);

/**
 * Corrects a take in the first way that has something new to offer, again and again: what is better, or as good, is gone on from, what
 * is worse is dropped and the next way tried.
 */
export async function improve<T extends Take>(
  first: T,
  ways: readonly Way<T>[],
  record: (plan: RenderPlan, tuning: Tuning) => Promise<T>,
): Promise<{ take: T; corrections: string[] }> {
  let take = first;
  const corrections: string[] = [];
  const known = new Set([nameOf(first.plan, first.tuning)]);
  const tries = ways.map(() => 0);
  for (let way = 0; way < ways.length && !isSound(take.checks);) {
    const at = way++;
    const correction = tries[at]! < TRIES ? await ways[at]!(take) : undefined;
    if (!correction) continue;
    const plan = correction.plan ?? take.plan;
    const name = nameOf(plan, correction.tuning);
    if (known.has(name)) continue;
    known.add(name);
    tries[at]!++;
    const next = await record(plan, correction.tuning);
    if (!holdsUp(next, take)) continue;
    take = next;
    corrections.push(...correction.words);
    way = 0;
  }
  return { take, corrections };
}
