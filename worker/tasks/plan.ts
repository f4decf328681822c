/**
 * The `plan` task: requests a plan from the planning service, checks it, sends faults back for correction, and plans by rules if
 * no usable plan arrives. Edits of an earlier plan by hand are applied by rules alone. Paid answers are stored as receipts before they
 * are used, so that later attempts reuse them.
 */
import type { PlanTaskResult } from '../../schema/task-results.ts';
import { createHash } from 'node:crypto';
import type { Plan, PlanEdit } from '../../schema.ts';
import { openingOf, playedRanges } from '../../music/plan/played-ranges.ts';
import { withShiftsOf } from '../../music/plan/key-shifts.ts';
import { checkPlan, type CheckedPlan } from '../../music/plan/checks.ts';
import { noteOnLength } from '../../music/producer/lengths.ts';
import { planDifferences } from '../../music/texts/differences/plan-differences.ts';
import { toLines } from '../../music/texts/lines.ts';
import { planWithWishes } from '../../music/producer/plan-with-wishes.ts';
import { ClaimLost, TaskError } from '../errors.ts';
import { retryWrite } from '../database/retry-write.ts';
import { redact } from '../redact.ts';
import { callPlan, MAYBE_PAID, planRequest, readPaidFailure, readPlanFacts } from '../services/orchestrator.ts';
import type { PlanBrief, PlanFacts } from '../services/orchestrator.ts';
import { findExhaustedBudget, saveReceipt, settingNumber } from '../database/database-api.ts';
import type { Budget } from '../database/database-api.ts';
import { callLimitMs } from './context.ts';
import type { TaskContext } from './context.ts';
import { findEdits, planByEdits } from './edited-plan.ts';
import { loadBrief } from './plan-brief.ts';
import { tellPlan } from './plan-texts.ts';
import { refuseUnchanged, wishOutcome } from './wish-outcome.ts';

/** Default limit of one call. Longer than the services' own limit for the model, so that a paid answer is not missed. */
const DEFAULT_CALL_SEC = 200;
/** A correction is requested only if this much time is left: otherwise a paid answer could be missed. */
const MIN_CALL_MS = 60_000;
/** How often faults are sent back for correction. */
const MAX_CORRECTIONS = 2;
const MAX_CHANGES_LENGTH = 2_000;

const BUDGET_TEXTS: Record<Budget, string> = {
  job: 'the budget for Claude is used up for this mashup',
  user_day: 'your budget for Claude is used up for today',
  day: 'the budget for Claude is used up for today',
};

interface Made {
  plan: Plan;
  source: 'claude' | 'rules';
  model?: string;
  tokens?: Record<string, number> | null;
  costUsd?: number | null;
  changes?: string;
  edits?: PlanEdit[];
  cannot?: string[];
  notUnderstood?: string[];
  warning?: string;
  /** What the planner wrote, before checks and repairs. */
  written?: unknown;
  isServiceUsed: boolean;
  /** Why the answer of the service could not be used. */
  serviceFault?: string;
}

type Paid = Pick<PlanFacts, 'tokens' | 'costUsd'>;
/** No usable plan arrived; `paid` is the cost of the answers. */
type NotMade = { reason?: string; paid: Paid };
const NOTHING_PAID: Paid = { tokens: null, costUsd: null };

/** Runs the task. Returns the result for `mashup.record_plan`. */
export async function plan(context: TaskContext): Promise<PlanTaskResult> {
  const brief = await loadBrief(context);
  const edits = await findEdits(context);
  const made: Made = edits
    ? { ...planByEdits(brief.request, edits), source: 'rules', isServiceUsed: false }
    : await makePlan(context, brief.request, brief.generation);
  const wishes = edits ? undefined : wishOutcome(brief.request, made.plan, made);
  refuseUnchanged(brief.request, made, wishes);
  const { plan, wording } = await tellPlan(context, brief.request, made);
  const changes = changesOf(brief.request, made);
  const lengthText = noteOnLength(made.plan, context.claim.options, {
    songs: brief.request.songs,
    limits: brief.request.limits,
    source: made.source,
    wishes: wishes?.understood ?? [],
    // The length of a plan that was edited by hand is the one that its user gave it.
    isRevision: edits !== undefined || (brief.request.previous !== undefined && brief.request.feedback !== undefined),
  });
  const used = new Set(made.plan.masterplan.timeline.flatMap((section) => section.layers.map((layer) => layer.songId)));
  const songs = brief.request.songs.filter((song) => used.has(song.song_id));
  const ranges = playedRanges(made.plan, songs);
  return {
    plan,
    wording,
    source: made.source,
    song_ids: songs.map((song) => song.song_id),
    ranges,
    opening: openingOf(made.plan, songs, ranges),
    model: made.model,
    tokens: made.tokens ?? undefined,
    cost_usd: made.costUsd ?? undefined,
    changes: changes?.slice(0, MAX_CHANGES_LENGTH),
    wishes,
    edits: made.edits,
    warning: made.warning,
    length_note: lengthText,
    service_used: made.isServiceUsed,
    service_fault: made.serviceFault,
    message: 'The mashup is planned',
  };
}

/** Returns what changed in a new version, whatever its planner says, or what a first plan does of the wishes. */
function changesOf({ previous, feedback, songs }: PlanBrief, { plan, changes }: Made): string | undefined {
  return previous && feedback ? toLines(planDifferences(previous, plan, songs), MAX_CHANGES_LENGTH) : changes;
}

async function makePlan(context: TaskContext, brief: PlanBrief, generation: number): Promise<Made> {
  let reason = 'the planning service was not available';
  let serviceFault: string | undefined;
  let paid = NOTHING_PAID;
  const wasPaid = await mayBePaidAlready(context);
  if (wasPaid) reason = 'the planning service did not respond, and a call that may have been paid for is not repeated';
  try {
    const requested = await requestPlan(context, brief, generation, context.claim.fallback || wasPaid);
    if ('plan' in requested) return { ...requested, plan: withShiftsOf(requested.plan, brief.previous) };
    reason = requested.reason ?? reason;
    paid = requested.paid;
  } catch (error) {
    if (error instanceof ClaimLost || !(error instanceof TaskError)) throw error;
    // Retry only these later. After an invalid answer, which may have been paid for, the service would repeat it.
    if (error.faultClass === 'unavailable' || error.faultClass === 'overloaded') throw error;
    reason = serviceFault = redact(error.message);
  }
  context.signal.throwIfAborted();
  return { ...planByRules(brief, reason), ...paid, serviceFault };
}

/** Requests a plan, checks it and sends faults back. Uses receipts first; with `onlyReceipts` it requests nothing new. */
async function requestPlan(
  context: TaskContext,
  brief: PlanBrief,
  generation: number,
  onlyReceipts: boolean,
): Promise<Made | NotMade> {
  const { claim, db } = context;
  let faults: string[] = [];
  let paid = NOTHING_PAID;
  for (let round = 0; round <= MAX_CORRECTIONS; round++) {
    const share = round / (MAX_CORRECTIONS + 2);
    context.reportProgress(share, round === 0 ? 'Planning the mashup' : 'Correcting the plan');
    const request = { ...brief, faults };
    const hash = hashOf(request, generation, round);
    const receipt = await findReceipt(context, hash);
    if (receipt === undefined) {
      if (onlyReceipts || (round > 0 && callLimitMs(context) < MIN_CALL_MS)) break;
      const budget = await findExhaustedBudget(db, claim.job_id);
      if (budget !== null) return { reason: BUDGET_TEXTS[budget], paid };
    }
    const answer = receipt?.answer ?? (await callPlanner(context, request, hash, share));
    const facts = readPlanFacts(answer);
    paid = addCosts(paid, facts);
    const failure = readPaidFailure(answer);
    if (failure?.code === 'claude_refused') return { reason: failure.detail, paid };
    const checked: CheckedPlan = failure
      ? { faults: [faultOfFailure(failure)], repairs: [] }
      : checkPlan(answer, brief.songs, brief.limits);
    if (checked.plan) {
      return {
        ...facts,
        ...paid,
        plan: checked.plan,
        written: answer,
        warning:
          facts.warning ?? (facts.source === 'rules' ? 'This mashup was planned by rules, without Claude.' : undefined),
        isServiceUsed: receipt === undefined,
      };
    }
    faults = checked.faults;
  }
  return { reason: faults[0] && `the plans of the planning service could not be used (${faults[0]})`, paid };
}

/** Returns the message to Claude about an answer without a plan. */
function faultOfFailure({ code }: { code: string }): string {
  return code === 'claude_cut_off'
    ? 'Your answer was cut off before it was complete: write a shorter plan, with fewer sections and shorter sentences.'
    : 'Your answer was no plan in the form that was asked for: answer with that and nothing else.';
}

/** Calls the planning service and saves a paid answer. */
async function callPlanner(context: TaskContext, brief: PlanBrief, hash: string, share: number): Promise<unknown> {
  const { claim, db, signal, serviceTokens, serviceUrls } = context;
  const callSec = await settingNumber(context, 'plan_call_timeout_sec', DEFAULT_CALL_SEC);
  const answer = await callPlan(serviceUrls.orchestrator, planRequest(brief), {
    signal,
    timeoutMs: Math.min(callSec * 1_000, callLimitMs(context)),
    token: serviceTokens.orchestrator,
    onMessage: (message) => context.reportProgress(share, message),
  });
  const facts = readPlanFacts(answer);
  if (facts.source === 'claude') {
    const { tokens, costUsd } = facts;
    // Even if the claim is lost by now: the next attempt reuses the receipt.
    await retryWrite(undefined, () =>
      saveReceipt(db, { jobId: claim.job_id, requestHash: hash, answer, tokens, costUsd }),
    );
  }
  return answer;
}

/** Plans by rules: a new plan, or the earlier plan revised by the feedback. */
function planByRules(brief: PlanBrief, reason: string): Made {
  const warning = `This mashup was planned by rules: ${reason.replace(/\.?$/, '.')}`;
  // The stored plan may be one that the present checks refuse: then the feedback is a wish for a new plan.
  const previous = brief.previous && checkPlan(brief.previous, brief.songs, brief.limits).plan;
  const { plan, changes, cannot } = planWithWishes({ ...brief, previous });
  return {
    plan,
    source: 'rules',
    changes: toLines(changes, MAX_CHANGES_LENGTH) || undefined,
    cannot,
    warning,
    isServiceUsed: false,
  };
}

/** Whether an earlier attempt of this task made a call that may have been paid for although no answer arrived. */
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

/** Hashes a request. The round is included: the answer to a first request is not the answer to its correction. */
function hashOf(brief: PlanBrief, generation: number, round: number): string {
  return createHash('sha256')
    .update(JSON.stringify([generation, round, brief]))
    .digest('hex');
}

function addCosts(sum: Paid, more: Paid): Paid {
  const tokens = { ...sum.tokens };
  for (const [name, count] of Object.entries(more.tokens ?? {})) tokens[name] = (tokens[name] ?? 0) + count;
  return {
    tokens: Object.keys(tokens).length > 0 ? tokens : null,
    costUsd: sum.costUsd === null && more.costUsd === null ? null : (sum.costUsd ?? 0) + (more.costUsd ?? 0),
  };
}
