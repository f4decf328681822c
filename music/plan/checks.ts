/** The checks that every plan must pass before it is rendered, from any planner. */
import { Plan, type AnalyzedSong, type PlanLimits } from '../../schema.ts';
import { snapToBars } from './bars.ts';
import { fitContent } from './fit-content.ts';
import { fitSources } from './fit-sources.ts';
import type { PlanFindings } from './findings.ts';
import { chooseParts } from '../theory/parts.ts';
import { checkArrangement, checkKey } from './musical-checks.ts';
import { parsePlan } from './parse-plan.ts';

/** `plan` is present if and only if `faults` is empty. `repairs` lists what was corrected in it. */
export type CheckedPlan = { plan?: Plan; faults: string[]; repairs: string[] };

/** Number of faults that are listed. */
const MAX_FAULTS = 40;

/**
 * Checks the form and the music of a plan, and repairs small faults: other names for songs and stems, effects in free
 * words, energy scales, levels, gaps and boundaries off by part of a bar, sources that end too early. Idempotent: checking
 * a checked plan changes nothing.
 * @param raw any value, usually a planner's response
 * @param wholeSongs songs whose tempo changes are reduced to one part
 * @param isKeyGiven whether the key is not judged
 */
export function checkPlan(
  raw: unknown,
  wholeSongs: readonly AnalyzedSong[],
  limits: PlanLimits,
  isKeyGiven = false,
): CheckedPlan {
  const songs = chooseParts(wholeSongs);
  const findings: PlanFindings = { faults: [], repairs: [] };
  const parsed = parsePlan(raw, songs, limits, findings);
  if (!parsed || parsed.masterplan.timeline.length === 0) return finish(findings);
  let plan = withTimeline(parsed, snapToBars(parsed, findings));
  plan = withTimeline(plan, fitContent(plan, songs, findings));
  plan = withTimeline(plan, fitSources(plan, songs, findings));
  checkArrangement(plan, songs, limits, findings.faults);
  if (!isKeyGiven) checkKey(plan, songs, findings.faults);
  return finish(findings, plan);
}

function withTimeline(plan: Plan, timeline: Plan['masterplan']['timeline']): Plan {
  return { ...plan, masterplan: { ...plan.masterplan, timeline } };
}

function finish({ faults, repairs }: PlanFindings, plan?: Plan): CheckedPlan {
  const listed = [...new Set(faults)].slice(0, MAX_FAULTS);
  if (listed.length > 0 || !plan) return { faults: listed, repairs };
  const parsed = Plan.safeParse(plan);
  if (parsed.success) return { plan: parsed.data, faults: [], repairs };
  return { faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`), repairs };
}
