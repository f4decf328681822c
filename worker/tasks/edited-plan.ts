/** The plan of a job that edits an earlier plan by hand: made by rules, never by the planning service. */
import { PlanEdit, type Plan } from '../../schema.ts';
import { applyEdits } from '../../music/edits/apply-edits.ts';
import { planDifferences } from '../../music/texts/differences/plan-differences.ts';
import { TaskError } from '../errors.ts';
import type { PlanBrief } from '../services/orchestrator.ts';
import type { TaskContext } from './context.ts';

/** Edits of a job, not checked yet, and the plan that they are for. */
export type StoredEdits = { base: Plan; edits: unknown[] };

/** Finds the edits of the job; undefined if it is no edit. */
export async function findEdits({ claim, db }: TaskContext): Promise<StoredEdits | undefined> {
  return db
    .selectFrom('mashup.plan_edits')
    .select(['base', 'edits'])
    .where('job_id', '=', claim.job_id)
    .executeTakeFirst();
}

/**
 * Applies the edits.
 * @returns the plan, the edits, and what differs from the plan that was edited, in sentences
 * @throws TaskError `edit_not_possible`, permanent, which says which edit and why
 */
export function planByEdits(
  { songs, limits }: Pick<PlanBrief, 'songs' | 'limits'>,
  stored: StoredEdits,
): { plan: Plan; edits: PlanEdit[]; changes: string } {
  const edits = stored.edits.map((raw, at) => {
    const parsed = PlanEdit.safeParse(raw);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw notPossible(at, `${issue?.path.join('.') ?? 'kind'}: ${issue?.message ?? 'unknown'}.`);
  });
  const result = applyEdits(stored.base, edits, { songs, limits });
  if ('refused' in result) throw notPossible(result.refused.at, result.refused.reason);
  return { plan: result.plan, edits, changes: planDifferences(stored.base, result.plan, songs).join('\n') };
}

function notPossible(at: number, reason: string): TaskError {
  return new TaskError(`Edit ${at + 1} is not possible. ${reason}`, {
    code: 'edit_not_possible',
    hint: 'Open the version that you edited, and change or leave out this edit.',
    faultClass: 'permanent',
  });
}
