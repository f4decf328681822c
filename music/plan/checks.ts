/** The checks that every plan passes before it is rendered, whoever made it. */
import { Plan, type AnalyzedSong, type PlanLimits } from '../../schema.ts';
import { fitSources, judgePlan } from './musical-checks.ts';
import { putOnBars } from './bars.ts';
import { readPlan, type Findings } from './parse-plan.ts';

/** `plan` is there exactly when `faults` is empty; `mended` says what was put right in it. */
export type CheckedPlan = { plan?: Plan; faults: string[]; mended: string[] };

/** Most faults that are listed; a plan with more is beyond listing. */
const MAX_FAULTS = 40;

/**
 * Checks a plan for shape and for music, and mends what is small: names of songs and stems, free words for effects, scales
 * of energy, levels, gaps and boundaries off by part of a bar, sources that run out of song. Checking a checked plan again
 * changes nothing.
 * @param raw anything, usually a planner's answer
 */
export function checkPlan(raw: unknown, songs: readonly AnalyzedSong[], limits: PlanLimits): CheckedPlan {
  const findings: Findings = { faults: [], mended: [] };
  const read = readPlan(raw, songs, limits, findings);
  if (!read || read.masterplan.timeline.length === 0) return finish(findings);
  let plan = withTimeline(read, putOnBars(read, findings));
  plan = withTimeline(plan, fitSources(plan, songs, findings));
  judgePlan(plan, songs, limits, findings.faults);
  return finish(findings, plan);
}

function withTimeline(plan: Plan, timeline: Plan['masterplan']['timeline']): Plan {
  return { ...plan, masterplan: { ...plan.masterplan, timeline } };
}

function finish({ faults, mended }: Findings, plan?: Plan): CheckedPlan {
  const listed = [...new Set(faults)].slice(0, MAX_FAULTS);
  if (listed.length > 0 || !plan) return { faults: listed, mended };
  const parsed = Plan.safeParse(plan);
  if (parsed.success) return { plan: parsed.data, faults: [], mended };
  return { faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`), mended };
}
