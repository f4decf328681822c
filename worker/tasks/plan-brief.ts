/** Builds the brief of a plan: analyses, scores, limits, wishes, and the plan to revise. */
import { createHash } from 'node:crypto';
import type { AnalyzedSong, PlanLimits } from '../../schema.ts';
import { STEMS } from '../../schema.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { limitsFor } from '../../music/plan/limits.ts';
import { aimOf } from '../../music/producer/lengths.ts';
import { limitsOf, wishTextOf } from '../../music/producer/plan-with-wishes.ts';
import { readWishes } from '../../music/wishes/read-wishes.ts';
import { wishSongs } from '../../music/wishes/wish-songs.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import type { PlanBrief } from '../services/orchestrator.ts';
import { settingNumber } from '../database/database-api.ts';
import type { TaskContext } from './context.ts';
import { findPlan } from './plan-texts.ts';
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
  const general = await loadLimits(context, songs);
  const words = {
    wishes: wishes === '' ? undefined : wishes,
    previous: await findPrevious(context, songs, general),
    feedback: claim.feedback ?? undefined,
  };
  const { understood } = readWishes(wishTextOf(words), wishSongs(songs));
  const limits = limitsOf({ ...words, limits: general, length_sec: wanted }, understood);
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

/** Finds the plan that an iteration revises: that of its parent, as it was rendered. */
async function findPrevious(
  context: TaskContext,
  songs: readonly AnalyzedSong[],
  limits: PlanLimits,
): Promise<PlanBrief['previous']> {
  const { claim } = context;
  if (claim.parent_id === null || claim.feedback === null) return undefined;
  const found = await findPlan(context, claim.parent_id);
  if (!found) return undefined;
  // Corrections of the renderer may have made a plan that the checks refuse: then the planned one is revised.
  const own = limitsOf({ limits, previous: found.rendered }, []);
  return checkPlan(found.rendered, songs, own).plan ? found.rendered : found.planned;
}

/** Returns a seed that is equal for the same generation of the same job. */
function seedOf(jobId: string, generation: number): number {
  return createHash('sha256').update(`${jobId} ${generation}`).digest().readUInt32BE(0);
}
