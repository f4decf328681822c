/** Builds the brief of a plan: analyses, scores, limits, wishes, and the plan to revise. */
import { createHash } from 'node:crypto';
import type { AnalyzedSong, PlanLimits } from '../../schema.ts';
import { STEMS } from '../../schema.ts';
import { limitsFor } from '../../music/plan/limits.ts';
import { aimOf } from '../../music/producer/lengths.ts';
import { limitsOf, wishTextOf } from '../../music/producer/plan-with-wishes.ts';
import { readWishes } from '../../music/wishes/read-wishes.ts';
import { wishSongs } from '../../music/wishes/wish-songs.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import type { PlanBrief } from '../services/orchestrator.ts';
import { settingNumber } from '../database/database-api.ts';
import type { TaskContext } from './context.ts';
import { loadScores, loadSongs, pairsOf } from './task-inputs.ts';

/** Defaults of settings. */
const DEFAULT_MIN_LENGTH_SEC = 60;
const DEFAULT_MAX_LENGTH_SEC = 240;

/**
 * Loads the brief. `generation` counts the plans of the job: a receipt belongs to the next plan, so that a replay requests a new
 * one.
 */
export async function loadBrief(context: TaskContext): Promise<{ request: PlanBrief; generation: number }> {
  const { claim, db } = context;
  const songs = await loadSongs(context);
  const scores = await loadScores(context);
  const { count } = await db
    .selectFrom('public.mashup_plans')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('job_id', '=', claim.job_id)
    .executeTakeFirstOrThrow();
  const generation = Number(count);
  const { length, length_sec: exact, wishes } = claim.options;
  const wanted = exact ?? (length && aimOf(length, songs));
  const words = {
    wishes: wishes === '' ? undefined : wishes,
    previous: await findPrevious(context),
    feedback: claim.feedback ?? undefined,
  };
  const { understood } = readWishes(wishTextOf(words), wishSongs(songs));
  const limits = limitsOf({ ...words, limits: await loadLimits(context, songs), length_sec: wanted }, understood);
  return {
    generation: claim.fresh ? generation + claim.epoch * 1_000 : generation,
    request: {
      songs,
      scores: scores.length > 0 ? scores : pairsOf(songs).map(([first, second]) => scorePair(first, second)),
      limits,
      seed: seedOf(claim.job_id, generation),
      length_sec:
        wanted === undefined ? undefined : Math.min(limits.max_length_sec, Math.max(limits.min_length_sec, wanted)),
      roles: claim.parent_id === null ? claim.options.roles : undefined,
      ...words,
      faults: [],
    },
  };
}

async function loadLimits(context: TaskContext, songs: readonly AnalyzedSong[]): Promise<PlanLimits> {
  return limitsFor(songs, {
    min_length_sec: await settingNumber(context, 'plan_min_length_sec', DEFAULT_MIN_LENGTH_SEC),
    max_length_sec: await settingNumber(context, 'plan_max_length_sec', DEFAULT_MAX_LENGTH_SEC),
    stems: [...STEMS],
  });
}

/** Finds the plan that an iteration revises: the current plan of its parent. */
async function findPrevious({ claim, db }: TaskContext): Promise<PlanBrief['previous']> {
  if (claim.parent_id === null || claim.feedback === null) return undefined;
  const row = await db
    .selectFrom('public.mashup_plans as p')
    .innerJoin('public.mashup_jobs as j', (join) =>
      join.onRef('j.id', '=', 'p.job_id').onRef('j.plan_version', '=', 'p.version'),
    )
    .select('p.plan')
    .where('p.job_id', '=', claim.parent_id)
    .where('j.user_id', '=', claim.user_id)
    .executeTakeFirst();
  return row?.plan;
}

/** Returns a seed that is equal for the same generation of the same job. */
function seedOf(jobId: string, generation: number): number {
  return createHash('sha256').update(`${jobId} ${generation}`).digest().readUInt32BE(0);
}
