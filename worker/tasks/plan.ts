/**
 * `plan`: ask the planning service, check what it answers, send faults back, and make the plan by rules where none comes.
 * An answer that may have been paid for is kept first and read there again: nothing is paid for twice without a reason.
 */
import { createHash } from 'node:crypto';
import type { AnalyzedSong, Plan, PlanLimits } from '../../schema.ts';
import { STEMS } from '../../schema.ts';
import { checkPlan } from '../../music/plan-checks.ts';
import { limitsFor } from '../../music/plan-limits.ts';
import { producePlan } from '../../music/producer.ts';
import { revisePlan } from '../../music/revise.ts';
import { scorePair } from '../../music/scoring.ts';
import { ClaimVoid, TaskError } from '../errors.ts';
import { report } from '../report.ts';
import { callPlan, planRequest, readPlanFacts } from '../services/orchestrator.ts';
import type { PlanBrief, PlanFacts } from '../services/orchestrator.ts';
import { keepReceipt, settingNumber } from '../state.ts';
import { callLimitMs } from './context.ts';
import type { TaskContext } from './context.ts';
import { loadScores, loadSongs, pairsOf } from './material.ts';

/** Limit of one call: above the 120 s that the existing service gives the model, so that a paid answer is waited for. */
export const PLAN_TIMEOUT_MS = 150_000;
/** How often faults are sent back. */
const MAX_CORRECTIONS = 2;
/** Used where the setting of this name is missing. */
const DEFAULT_MIN_LENGTH_SEC = 60;
const DEFAULT_MAX_LENGTH_SEC = 240;
const MAX_CHANGES_LENGTH = 2_000;
/** An attempt that ended so may have been paid for although no answer came: it is not repeated. */
const MAYBE_PAID: ReadonlySet<string> = new Set(['service_timeout', 'service_connection_lost']);

interface Made {
  plan: Plan;
  source: 'claude' | 'rules';
  model?: string;
  tokens?: Record<string, number> | null;
  costUsd?: number | null;
  changes?: string;
  warning?: string;
  isServiceUsed: boolean;
}

/** Answers what `mashup.record_plan` stores. */
export async function plan(context: TaskContext): Promise<Record<string, unknown>> {
  const brief = await loadBrief(context);
  const made = await makePlan(context, brief.request, brief.generation);
  const used = new Set(made.plan.masterplan.timeline.flatMap((section) => section.layers.map((layer) => layer.songId)));
  return {
    plan: made.plan,
    source: made.source,
    song_ids: brief.request.songs.map((song) => song.song_id).filter((id) => used.has(id)),
    model: made.model,
    tokens: made.tokens ?? undefined,
    cost_usd: made.costUsd ?? undefined,
    changes: made.changes?.slice(0, MAX_CHANGES_LENGTH),
    warning: made.warning,
    service_used: made.isServiceUsed,
    message: 'The mashup is planned',
  };
}

async function makePlan(context: TaskContext, brief: PlanBrief, generation: number): Promise<Made> {
  let reason = 'it was not available';
  const wasPaid = await mayBePaidAlready(context);
  if (wasPaid) reason = 'it did not answer, and a call that may have been paid for is not repeated';
  try {
    const asked = await askForPlan(context, brief, generation, context.claim.fallback || wasPaid);
    if ('plan' in asked) return asked;
    reason = asked.reason ?? reason;
  } catch (error) {
    if (error instanceof ClaimVoid || !(error instanceof TaskError)) throw error;
    // Waiting may help against these; a service that answered badly may have been paid, and would answer so again.
    if (error.faultClass === 'unavailable' || error.faultClass === 'overloaded') throw error;
    reason = error.message;
  }
  context.signal.throwIfAborted();
  return planByRules(brief, reason);
}

/** Asks, checks, and sends faults back. Receipts are read first; with `onlyReceipts` nothing new is asked. */
async function askForPlan(
  context: TaskContext,
  brief: PlanBrief,
  generation: number,
  onlyReceipts: boolean,
): Promise<Made | { reason?: string }> {
  let faults: string[] = [];
  let paid: Pick<PlanFacts, 'tokens' | 'costUsd'> = { tokens: null, costUsd: null };
  for (let round = 0; round <= MAX_CORRECTIONS; round++) {
    context.tell(round / (MAX_CORRECTIONS + 2), round === 0 ? 'Planning the mashup' : 'Correcting the plan');
    const request = { ...brief, faults };
    const hash = hashOf(request, generation);
    const kept = await findReceipt(context, hash);
    if (kept === undefined && onlyReceipts) break;
    const answer = kept?.answer ?? (await ask(context, request, hash));
    const facts = readPlanFacts(answer);
    paid = addCosts(paid, facts);
    const checked = checkPlan(answer, brief.songs, brief.limits);
    if (checked.plan) {
      return {
        ...facts,
        ...paid,
        plan: checked.plan,
        warning:
          facts.warning ?? (facts.source === 'rules' ? 'This mashup was planned by rules, without Claude.' : undefined),
        isServiceUsed: kept === undefined,
      };
    }
    faults = checked.faults;
  }
  if (faults.length === 0) return {};
  return { reason: `its plans could not be used (${faults[0]})` };
}

async function ask(context: TaskContext, brief: PlanBrief, hash: string): Promise<unknown> {
  const { claim, db, signal, serviceUrls } = context;
  const answer = await callPlan(serviceUrls.orchestrator, planRequest(brief), {
    signal,
    timeoutMs: Math.min(PLAN_TIMEOUT_MS, callLimitMs(context)),
  });
  const facts = readPlanFacts(answer);
  if (facts.source === 'claude') {
    const { tokens, costUsd } = facts;
    // Also when the claim is void by now: whoever plans next reads it.
    await report(undefined, () => keepReceipt(db, { jobId: claim.job_id, requestHash: hash, answer, tokens, costUsd }));
  }
  return answer;
}

/** The producer of `music/`: a new plan, or the earlier one revised by what is understood of the feedback. */
function planByRules(brief: PlanBrief, reason: string): Made {
  const warning = `This mashup was planned by rules, without the planning service: ${reason}`;
  if (brief.previous && brief.feedback) {
    const earlier = checkPlan(brief.previous, brief.songs, brief.limits).plan;
    if (earlier) {
      const { songs, limits, feedback } = brief;
      const revised = revisePlan({ plan: earlier, feedback, songs, limits });
      const changes = [...revised.changes, ...revised.cannot].join(' ');
      return { plan: revised.plan, source: 'rules', changes, warning, isServiceUsed: false };
    }
  }
  const wishes = [brief.wishes, brief.feedback].filter(Boolean).join('. ');
  const plan = producePlan({ ...brief, wishes: wishes === '' ? undefined : wishes });
  return { plan, source: 'rules', warning, isServiceUsed: false };
}

/** The brief, and how many plans the job has: a receipt is for the plan that is to come, and a replay gets another. */
async function loadBrief(context: TaskContext): Promise<{ request: PlanBrief; generation: number }> {
  const { claim, db } = context;
  const songs = await loadSongs(context);
  const scores = await loadScores(context);
  const limits = await loadLimits(context, songs);
  const { count } = await db
    .selectFrom('mashup_plans')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('job_id', '=', claim.job_id)
    .executeTakeFirstOrThrow();
  const generation = Number(count);
  const { length_sec: wanted, wishes } = claim.options;
  return {
    generation: claim.fresh ? generation + claim.epoch * 1_000 : generation,
    request: {
      songs,
      scores: scores.length > 0 ? scores : pairsOf(songs).map(([first, second]) => scorePair(first, second)),
      limits,
      seed: seedOf(claim.job_id, generation),
      length_sec:
        wanted === undefined ? undefined : Math.min(limits.max_length_sec, Math.max(limits.min_length_sec, wanted)),
      wishes: wishes === '' ? undefined : wishes,
      previous: await findPrevious(context),
      feedback: claim.feedback ?? undefined,
      faults: [],
    },
  };
}

async function loadLimits({ db }: TaskContext, songs: readonly AnalyzedSong[]): Promise<PlanLimits> {
  return limitsFor(songs, {
    min_length_sec: await settingNumber(db, 'plan_min_length_sec', DEFAULT_MIN_LENGTH_SEC),
    max_length_sec: await settingNumber(db, 'plan_max_length_sec', DEFAULT_MAX_LENGTH_SEC),
    stems: [...STEMS],
  });
}

/** The plan that an iteration starts from: its parent's current one. */
async function findPrevious({ claim, db }: TaskContext): Promise<PlanBrief['previous']> {
  if (claim.parent_id === null || claim.feedback === null) return undefined;
  const row = await db
    .selectFrom('mashup_plans as p')
    .innerJoin('mashup_jobs as j', (join) =>
      join.onRef('j.id', '=', 'p.job_id').onRef('j.plan_version', '=', 'p.version'),
    )
    .select('p.plan')
    .where('p.job_id', '=', claim.parent_id)
    .where('j.user_id', '=', claim.user_id)
    .executeTakeFirst();
  return row?.plan;
}

/** Whether an earlier attempt of this task ended without an answer that may have been paid for. */
async function mayBePaidAlready({ claim, db }: TaskContext): Promise<boolean> {
  const row = await db.selectFrom('mashup.tasks').select('error').where('id', '=', claim.task_id).executeTakeFirst();
  return MAYBE_PAID.has(row?.error?.code ?? '');
}

async function findReceipt({ claim, db }: TaskContext, hash: string): Promise<{ answer: unknown } | undefined> {
  return db
    .selectFrom('mashup.plan_receipts')
    .select('answer')
    .where('job_id', '=', claim.job_id)
    .where('request_hash', '=', hash)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}

function hashOf(brief: PlanBrief, generation: number): string {
  return createHash('sha256')
    .update(JSON.stringify([generation, brief]))
    .digest('hex');
}

/** A number that is the same for the same plan of the same job. */
function seedOf(jobId: string, generation: number): number {
  return createHash('sha256').update(`${jobId} ${generation}`).digest().readUInt32BE(0);
}

function addCosts(
  sum: Pick<PlanFacts, 'tokens' | 'costUsd'>,
  more: Pick<PlanFacts, 'tokens' | 'costUsd'>,
): Pick<PlanFacts, 'tokens' | 'costUsd'> {
  const tokens = { ...sum.tokens };
  for (const [name, count] of Object.entries(more.tokens ?? {})) tokens[name] = (tokens[name] ?? 0) + count;
  return {
    tokens: Object.keys(tokens).length > 0 ? tokens : null,
    costUsd: sum.costUsd === null && more.costUsd === null ? null : (sum.costUsd ?? 0) + (more.costUsd ?? 0),
  };
}
