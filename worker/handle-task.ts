/** What a wake-up leads to: claim, work, finish. Nothing is ever thrown to Graphile Worker. */
import { z } from 'zod';
import { toMashupError } from '../schema/errors.ts';
import type { TaskKind } from '../schema/database.ts';
import { watchClaim } from './lease.ts';
import type { ClaimWatch } from './lease.ts';
import { ClaimVoid, TaskError } from './errors.ts';
import type { LogFields } from './log.ts';
import { errorText, redact } from './redact.ts';
import { report } from './database/retry-write.ts';
import { claimTask, returnUnknownClaim, failTask, finishTask } from './database/database-api.ts';
import type { Claim } from './database/database-api.ts';
import { analyze } from './tasks/analyze.ts';
import { plan } from './tasks/plan.ts';
import { render } from './tasks/render.ts';
import { score } from './tasks/score.ts';
import { separate } from './tasks/separate.ts';
import type { TaskContext, WorkerContext } from './tasks/context.ts';

const MAX_HINT = 300;

const Wakeup = z.object({ task: z.coerce.string(), attempt: z.number().int() });

const HANDLERS: Record<TaskKind, (context: TaskContext) => Promise<Record<string, unknown>>> = {
  analyze,
  score,
  plan,
  separate,
  render,
};

/** Tasks that run now, by claim. */
export type RunningTasks = Map<string, { claim: Claim; watch: ClaimWatch }>;

/** Handles one wake-up. Resolves always; what went wrong is on the task's row, or in the log if the claim is void. */
export async function handleTask(worker: WorkerContext, running: RunningTasks, payload: unknown): Promise<void> {
  const wakeup = Wakeup.safeParse(payload);
  if (!wakeup.success) {
    worker.log('warn', 'a wake-up without a task was ignored');
    return;
  }
  const { task, attempt } = wakeup.data;
  try {
    const answer = await claimTask(worker.db, task, attempt, worker.id).catch(async (error: unknown) => {
      worker.log('warn', 'a claim was not answered; trying again', { task, error: errorText(error) });
      await report(undefined, () => returnUnknownClaim(worker.db, task, attempt, worker.id, [...running.keys()]));
      return claimTask(worker.db, task, attempt, worker.id);
    });
    if (answer.status === 'claimed') await runClaim(worker, running, answer);
  } catch (error) {
    // Before a claim nothing is lost: the task is ready still and its wake-up is put back, or its lease runs out.
    worker.log('error', 'a task could not be claimed', { task, error: errorText(error) });
  }
}

async function runClaim(worker: WorkerContext, running: RunningTasks, claim: Claim): Promise<void> {
  const startedAt = performance.now();
  const watch = watchClaim(worker.db, claim, worker.log);
  running.set(claim.claim, { claim, watch });
  const about: LogFields = { task: claim.task_id, kind: claim.kind, job: claim.job_id, song: claim.song_id };
  const seconds = (): number => Math.round(performance.now() - startedAt) / 1000;
  try {
    const result = await HANDLERS[claim.kind]({ ...worker, claim, startedAt, signal: watch.signal, tell: watch.tell });
    watch.signal.throwIfAborted();
    const outcome = await report(watch.signal, () => finishTask(worker.db, claim, result));
    worker.log('info', `${claim.kind} ${outcome}`, { ...about, seconds: seconds() });
  } catch (error) {
    const cause: unknown = watch.signal.aborted ? watch.signal.reason : error;
    if (cause instanceof ClaimVoid) {
      worker.log('info', `${claim.kind} dropped: ${cause.message}`, { ...about, verdict: cause.verdict });
      return;
    }
    await reportFault(worker, claim, toTaskError(cause), { ...about, seconds: seconds() });
  } finally {
    watch.stop();
    running.delete(claim.claim);
  }
}

/** The form of an error code. */
const CODE = /^[a-z][a-z0-9_]{1,59}$/;

async function reportFault(worker: WorkerContext, claim: Claim, fault: TaskError, about: LogFields): Promise<void> {
  const { faultClass, retryAfterSec } = fault;
  // A service may say anything where its code should be; what is no name is not repeated.
  const code = CODE.test(fault.code) ? fault.code : 'service_failed';
  try {
    const outcome = await report(undefined, () =>
      failTask(worker.db, claim, {
        code,
        message: redact(fault.message),
        hint: redact(fault.hint, MAX_HINT),
        faultClass,
        retryAfterSec,
      }),
    );
    const level = fault.code === 'internal_error' ? 'error' : 'warn';
    worker.log(level, `${claim.kind} ${outcome}: ${fault.message}`, { ...about, code, class: faultClass });
    if (fault.code === 'internal_error' && fault.cause instanceof Error)
      worker.log('error', redact(fault.cause.stack ?? '', 2_000), about);
  } catch (error) {
    // The lease runs out, and the task is given to somebody else.
    worker.log('error', 'a fault could not be reported', { ...about, code, error: errorText(error) });
  }
}

/** Any error as the fault of an attempt; one that nobody foresaw is an internal error, tried again a few times. */
function toTaskError(error: unknown): TaskError {
  if (error instanceof TaskError) return error;
  const raised = toMashupError(error);
  if (raised !== undefined) {
    const isGone = raised.code === 'missing_input';
    return new TaskError(raised.message, {
      code: raised.code,
      hint: raised.hint,
      faultClass: isGone ? 'transient' : 'permanent',
      cause: error,
    });
  }
  if (isConnectionLoss(error)) {
    return new TaskError(`The database was away: ${errorText(error)}`, {
      code: 'database_unavailable',
      hint: 'It is tried again by itself.',
      faultClass: 'transient',
      cause: error,
    });
  }
  return new TaskError(`Something unexpected went wrong: ${errorText(error)}`, {
    code: 'internal_error',
    hint: 'Retry the mashup. If it fails again, the worker log has the details.',
    faultClass: 'transient',
    cause: error,
  });
}

/** Whether the database, not the statement, is what failed: SQLSTATE classes 08 and 57P, sockets, and pg's own words. */
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(08|57P|ECONN|EPIPE|ETIMEDOUT)/.test(code) ||
    /connection (terminated|timeout)|trying to connect|counts as lost/i.test(error.message)
  );
}
