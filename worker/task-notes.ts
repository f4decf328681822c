/** What is noted in the log of a task while it runs: its start, its calls and its steps, and all that its worker logs of it. */
import type { CallObserver } from './call-observer.ts';
import type { Claim } from './database/database-api.ts';
import type { Lease } from './lease.ts';
import type { TaskContext, WorkerContext } from './tasks/context.ts';

/** Returns the context with a log that is kept with the task as well. */
export function withTaskLog(worker: WorkerContext, claim: Claim): WorkerContext {
  const { failures, fallback, waited_sec, lost_for_sec } = claim;
  worker.taskLogs.add(claim, 'debug', `${claim.kind} started`, { failures, fallback, waited_sec, lost_for_sec });
  return { ...worker, log: worker.taskLogs.logOf(claim, worker.log) };
}

/** Counts the calls of a task, and notes each in its log. */
export function observeCalls({ metrics, taskLogs }: WorkerContext, claim: Claim): CallObserver {
  return (service, result, seconds) => {
    metrics.called(service, result, seconds);
    taskLogs.add(claim, 'debug', `call to ${service}: ${result}`, { seconds: Math.round(seconds * 1000) / 1000 });
  };
}

/** Returns a function that reports progress, and notes each new step in the log of the task. */
export function progressReporter(
  { taskLogs }: WorkerContext,
  claim: Claim,
  lease: Lease,
): TaskContext['reportProgress'] {
  let lastStep: string | undefined;
  return (progress, step) => {
    lease.reportProgress(progress, step);
    if (step === undefined || step === lastStep) return;
    lastStep = step;
    taskLogs.add(claim, 'debug', step);
  };
}
