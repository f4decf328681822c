/** The texts of a plan: which wordings they have, what is kept of its planner's, and the title that a mashup keeps. */
import { createHash } from 'node:crypto';
import type { Plan } from '../../schema.ts';
import { describePlan } from '../../music/texts/describe-plan.ts';
import { WORDING_GROUPS } from '../../music/texts/wording.ts';
import { findUnchanged, keepWrittenTexts } from '../../music/texts/written-texts.ts';
import type { PlanBrief } from '../services/orchestrator.ts';
import type { TaskContext } from './context.ts';

/** Numbers of wordings: two of each group. */
const WORDINGS = 2 * WORDING_GROUPS;

/** A plan as its planner made it. `written`: what it wrote, before checks and repairs. */
type MadePlan = { plan: Plan; source: 'claude' | 'rules'; written?: unknown };

/**
 * Makes the texts of a plan. Texts of a model stay where the plan is what the model wrote. A mashup that was finished before keeps its
 * title as long as its songs are the same.
 */
export async function tellPlan(
  context: TaskContext,
  { songs, scores }: PlanBrief,
  { plan, source, written }: MadePlan,
): Promise<{ plan: Plan; wording: number }> {
  const wording = await chooseWording(context);
  const described = describePlan(plan, { songs, scores, wording });
  const told =
    source === 'claude' ? keepWrittenTexts(plan, described, findUnchanged(written ?? plan, plan, songs)) : described;
  const title = (await findKeptTitle(context, songIdsOf(plan))) ?? plan.masterplan.title;
  return { plan: { ...told, masterplan: { ...told.masterplan, title } }, wording };
}

const songIdsOf = ({ masterplan: { timeline } }: Plan): string[] => [
  ...new Set(timeline.flatMap(({ layers }) => layers.map(({ songId }) => songId))),
];

/** The current plan of a job of the same user: as it was planned, and as it was rendered. */
type FoundPlan = { planned: Plan; rendered: Plan; wording: number | null };

/** Finds the current plan of a job; undefined if the job or its plan is gone. */
export async function findPlan({ claim, db }: TaskContext, jobId: string): Promise<FoundPlan | undefined> {
  const row = await db
    .selectFrom('public.mashup_jobs as j')
    .innerJoin('public.mashup_plans as p', (join) =>
      join.onRef('p.job_id', '=', 'j.id').onRef('p.version', '=', 'j.plan_version'),
    )
    .leftJoin('public.mashup_results as r', (join) =>
      join.onRef('r.job_id', '=', 'j.id').onRef('r.path', '=', 'j.result_path'),
    )
    .select(['p.plan as planned', 'p.wording', 'r.plan as rendered'])
    .where('j.id', '=', jobId)
    .where('j.user_id', '=', claim.user_id)
    .executeTakeFirst();
  return row && { planned: row.planned, rendered: row.rendered ?? row.planned, wording: row.wording };
}

/**
 * Chooses the wordings: those of an earlier plan of the job or of its parent. Otherwise they follow from the id of the job, and differ
 * from those of the user's last two mashups.
 */
async function chooseWording(context: TaskContext): Promise<number> {
  const { claim, db } = context;
  const own = await db
    .selectFrom('public.mashup_plans')
    .select('wording')
    .where('job_id', '=', claim.job_id)
    .where('wording', 'is not', null)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  const parent = claim.parent_id === null ? undefined : await findPlan(context, claim.parent_id);
  const known = own?.wording ?? parent?.wording;
  if (known !== null && known !== undefined) return known;
  const others = await db
    .selectFrom('public.mashup_jobs as j')
    .innerJoin('public.mashup_plans as p', (join) =>
      join.onRef('p.job_id', '=', 'j.id').onRef('p.version', '=', 'j.plan_version'),
    )
    .select('p.wording')
    .where('j.user_id', '=', claim.user_id)
    .where('j.id', '<>', claim.job_id)
    .where('j.parent_id', 'is', null)
    .where('p.wording', 'is not', null)
    .orderBy('j.created_at', 'desc')
    .limit(WORDING_GROUPS - 1)
    .execute();
  const taken = new Set(others.map(({ wording }) => (wording ?? 0) % WORDING_GROUPS));
  const first = createHash('sha256').update(claim.job_id).digest().readUInt32BE(0);
  const candidates = Array.from({ length: WORDINGS }, (_, i) => (first + i) % WORDINGS);
  return candidates.find((candidate) => !taken.has(candidate % WORDING_GROUPS)) ?? first % WORDINGS;
}

/** Finds the title of the last finished mashup of the job; undefined if there is none, or if it had other songs. */
async function findKeptTitle({ claim, db }: TaskContext, songIds: readonly string[]): Promise<string | undefined> {
  const row = await db
    .selectFrom('public.mashup_results as r')
    .innerJoin('public.mashup_plans as p', (join) =>
      join.onRef('p.job_id', '=', 'r.job_id').onRef('p.version', '=', 'r.plan_version'),
    )
    .select(['p.song_ids', 'p.plan as planned', 'r.plan as rendered'])
    .where('r.job_id', '=', claim.job_id)
    .orderBy('r.epoch', 'desc')
    .limit(1)
    .executeTakeFirst();
  const isSame = row?.song_ids.toSorted().join() === songIds.toSorted().join();
  return row && isSame ? (row.rendered ?? row.planned).masterplan.title : undefined;
}
