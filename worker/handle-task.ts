/** Handles a queue entry: claims its task, runs it, records the result, and goes on with the tasks of the job that follow. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { TaskResult } from '../schema/task-results.ts';
import type { TaskKind } from '../schema/database.ts';
import { holdLease } from './lease.ts';
import type { Lease } from './lease.ts';
import { ClaimLost, RangesMissing, StemsGone, UnreadableClaim } from './errors.ts';
import type { TaskError } from './errors.ts';
import type { LogFields } from './log.ts';
import { errorText, redact } from './redact.ts';
import { retryWrite } from './database/retry-write.ts';
import {
  claimTask,
  failTask,
  failUnreadableClaim,
  reportMissingRanges,
  reportMissingStems,
  returnTask,
  returnUnknownClaim,
} from './database/database-api.ts';
import { finishTask, returnClaims } from './database/finish-api.ts';
import type { Claim, ClaimResult, UnreadTask } from './database/database-api.ts';
import { withSpan } from '../telemetry/trace.ts';
import { checkBeforeWork } from './services/answering.ts';
import { toTaskError } from './task-faults.ts';
import { observeCalls, progressReporter, withTaskLog } from './task-notes.ts';
import { traceTask } from './task-trace.ts';
import type { TaskEnd } from './task-trace.ts';
import { analyze } from './tasks/analyze.ts';
import { plan } from './tasks/plan.ts';
import { render } from './tasks/render.ts';
import { renderStems } from './tasks/render-stems.ts';
import { score } from './tasks/score.ts';
import { separate } from './tasks/separate.ts';
import type { TaskContext, WorkerContext } from './tasks/context.ts';

const MAX_HINT = 300;

const QueueEntry = z.strictObject({
  task: z.union([z.int(), z.string().regex(/^\d{1,19}$/)]).transform(String),
  attempt: z.int(),
});
type QueueEntry = z.infer<typeof QueueEntry>;

const HANDLERS: { [Kind in TaskKind]: (context: TaskContext) => Promise<TaskResult<Kind>> } = {
  analyze,
  score,
  plan,
  separate,
  render,
  render_stems: renderStems,
};

/** The running tasks of a worker, by claim token. */
export type RunningTasks = Map<string, { claim: Claim; lease: Lease }>;

/**
 * Handles one queue entry. Faults are recorded on the task's row, or logged if the claim is lost.
 * @param mayContinue whether to go on with the next task of the job when one is finished
 * @throws Error for a payload that is not the engine's: Graphile Worker keeps that entry, for whoever added it
 */
export async function handleTask(
  worker: WorkerContext,
  running: RunningTasks,
  payload: unknown,
  mayContinue: () => boolean,
): Promise<void> {
  const parsed = QueueEntry.safeParse(payload);
  if (!parsed.success) {
    worker.log('warn', 'refused a queue entry of another application');
    throw new Error('This payload is not of the mashup engine.');
  }
  const entry = parsed.data;
  let calledAt = Date.now();
  try {
    const answer = await claim(worker, running, entry);
    let next = answer.status === 'claimed' ? answer : undefined;
    while (next !== undefined) {
      const current: Claim = next;
      next = undefined;
      const context = withTaskLog(worker, current);
      await traceTask(current, calledAt, observeCalls(context, current), async () => {
        const { end, following } = await runClaim(context, running, current, mayContinue);
        calledAt = Date.now();
        // The stop began while the answer was on its way.
        if (following !== undefined && !mayContinue()) await returnUnknown(worker, following.claim);
        else next = following;
        return end;
      });
    }
  } catch (error) {
    if (error instanceof UnreadableClaim) return recordUnreadable(worker, entry, error);
    // Nothing is lost before a claim: the task is still ready and is enqueued again, or its lease expires.
    worker.log('error', 'could not claim a task', { task: entry.task, error: errorText(error) });
  }
}

/** Claims a task. If the answer is lost, returns the claim that may have been made and claims once more. */
async function claim(
  worker: WorkerContext,
  running: RunningTasks,
  { task, attempt }: QueueEntry,
): Promise<ClaimResult> {
  try {
    return await claimTask(worker.db, task, attempt, worker.id);
  } catch (error) {
    if (error instanceof UnreadableClaim) throw error;
    worker.log('warn', 'the answer to a claim was lost; claiming again', { task, error: errorText(error) });
    await retryWrite(undefined, () => returnUnknownClaim(worker.db, task, attempt, worker.id, [...running.keys()]));
    return claimTask(worker.db, task, attempt, worker.id);
  }
}

async function recordUnreadable(worker: WorkerContext, unread: UnreadTask, fault: UnreadableClaim): Promise<void> {
  const fields: LogFields = { ...unread, code: fault.code, error: errorText(fault), hint: fault.hint };
  try {
    const outcome = await retryWrite(undefined, () => failUnreadableClaim(worker.db, unread, worker.id, fault));
    worker.log('error', `could not read a claim: ${outcome ?? 'not claimed'}`, fields);
  } catch (error) {
    // The lease expires, and the loss of the claim is counted.
    worker.log('error', 'could not record a fault', { ...fields, error: errorText(error) });
  }
}

/** How a task ended, and the next task of its job if this worker has claimed it. */
interface ClaimEnd {
  end: TaskEnd;
  following?: Claim;
}

async function runClaim(
  worker: WorkerContext,
  running: RunningTasks,
  claim: Claim,
  mayContinue: () => boolean,
): Promise<ClaimEnd> {
  const startedAt = performance.now();
  worker.metrics.claimed(claim);
  const lease = holdLease(worker.db, claim, worker.log);
  running.set(claim.claim, { claim, lease });
  const fields: LogFields = {
    task: claim.task_id,
    kind: claim.kind,
    job: claim.job_id,
    song: claim.song_id,
    claim: claim.claim,
  };
  const seconds = (): number => Math.round(performance.now() - startedAt) / 1000;
  let end: TaskEnd = { result: 'unrecorded' };
  let following: Claim | undefined;
  let wasAnswering = false;
  try {
    wasAnswering = await checkBeforeWork(worker, claim, lease.signal);
    const result = await HANDLERS[claim.kind]({
      ...worker,
      claim,
      startedAt,
      signal: lease.signal,
      reportProgress: progressReporter(worker, claim, lease),
    });
    lease.signal.throwIfAborted();
    lease.keepUntilWritten();
    const outcome = await finish(worker, claim, result, lease.signal, mayContinue());
    worker.log('info', `${claim.kind} ${outcome.end.result}`, { ...fields, seconds: seconds() });
    ({ end, following } = outcome);
  } catch (error) {
    const cause: unknown = lease.signal.aborted ? lease.signal.reason : error;
    if (cause instanceof ClaimLost) {
      worker.log('info', `${claim.kind} aborted: ${cause.message}`, { ...fields, reason: cause.reason });
      if (cause.reason === 'no_heartbeat') await giveBack(worker, claim, fields);
      end = { result: 'lost', code: cause.reason };
    } else {
      end = await recordFault(worker, claim, toTaskError(cause), wasAnswering, { ...fields, seconds: seconds() });
    }
  } finally {
    lease.stop();
    running.delete(claim.claim);
    end = asTaskEnd(end);
    worker.metrics.ended(claim.kind, end.result, seconds());
    if (end.result === 'lost') worker.metrics.lost(claim.kind, end.code ?? 'lost');
  }
  return { end, following };
}

/** Writes the result of a task. With `mayContinue` the next task of the job is claimed by the same call. */
async function finish(
  worker: WorkerContext,
  claim: Claim,
  result: unknown,
  signal: AbortSignal,
  mayContinue: boolean,
): Promise<ClaimEnd> {
  // Chosen here, so that a call whose answer was lost can be repeated, and its claim be found.
  const token = mayContinue ? randomUUID() : undefined;
  try {
    const { status, next } = await withSpan('finish', {}, () =>
      retryWrite(signal, () => finishTask(worker.db, claim, result, token)),
    );
    if (token !== undefined && next instanceof UnreadableClaim) {
      await recordUnreadable(worker, { claim: token }, next);
      return { end: { result: status } };
    }
    return { end: { result: status }, following: next instanceof UnreadableClaim ? undefined : next };
  } catch (error) {
    if (token !== undefined) await returnUnknown(worker, token);
    throw error;
  }
}

/** Returns the task that a call without an answer may have claimed. Otherwise it would be held until its lease expires. */
async function returnUnknown(worker: WorkerContext, token: string): Promise<void> {
  try {
    await retryWrite(undefined, () => returnClaims(worker.db, worker.id, [token]));
  } catch (error) {
    worker.log('warn', 'could not return a task', { claim: token, error: errorText(error) });
  }
}

/** What the database says of a claim that is not valid any more, instead of an outcome. */
const LOSSES: ReadonlySet<string> = new Set(['replayed', 'cancelled', 'lost']);

/** Reads the answer of the database as the end of a task: `failed` is an outcome or a loss, and counts as an outcome. */
function asTaskEnd(end: TaskEnd): TaskEnd {
  return LOSSES.has(end.result) ? { result: 'lost', code: end.code ?? end.result } : end;
}

/** Returns a task whose lease could not be kept, as soon as the database takes writes again. Its work was aborted. */
async function giveBack(worker: WorkerContext, claim: Claim, fields: LogFields): Promise<void> {
  try {
    await retryWrite(undefined, () => returnTask(worker.db, claim));
  } catch (error) {
    // The sweep takes the task: its lease has expired.
    worker.log('warn', 'could not return a task', { ...fields, error: errorText(error) });
  }
}

/** The form of an error code. */
const CODE = /^[a-z][a-z0-9_]{1,59}$/;

/** @param wasAnswering whether the service answered a check right before */
async function recordFault(
  worker: WorkerContext,
  claim: Claim,
  fault: TaskError,
  wasAnswering: boolean,
  fields: LogFields,
): Promise<TaskEnd> {
  const { faultClass, retryAfterSec, service, spendsAttempt } = fault;
  const isOfCheck = spendsAttempt === 'if_answering';
  // Codes of services are untrusted: one of another form is replaced.
  const code = CODE.test(fault.code) ? fault.code : 'service_failed';
  try {
    const write = (): Promise<string> =>
      fault instanceof StemsGone
        ? reportMissingStems(worker.db, claim, fault.stemsIds)
        : fault instanceof RangesMissing
          ? reportMissingRanges(worker.db, claim, fault.ranges)
          : failTask(worker.db, claim, {
              code,
              message: redact(fault.message),
              hint: redact(fault.hint, MAX_HINT),
              faultClass,
              retryAfterSec,
              service,
              spendsAttempt: isOfCheck ? wasAnswering : spendsAttempt,
              wasAnswering: isOfCheck && wasAnswering,
            });
    const outcome = await withSpan('fail', {}, () => retryWrite(undefined, write));
    worker.metrics.faulted(claim.kind, code, outcome);
    const level = fault.code === 'internal_error' ? 'error' : 'warn';
    worker.log(level, `${claim.kind} ${outcome}: ${fault.message}`, {
      ...fields,
      code,
      class: faultClass,
      blamed: service,
    });
    if (fault.code === 'internal_error' && fault.cause instanceof Error)
      worker.log('error', redact(fault.cause.stack ?? '', 2_000), fields);
    return { result: outcome, code };
  } catch (error) {
    // The lease expires, and another worker recovers the task.
    worker.log('error', 'could not record a fault', { ...fields, code, error: errorText(error) });
    return { result: 'unrecorded', code };
  }
}
