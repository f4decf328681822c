/** The trace of one task: a span below the trace of its job, in which the work runs. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { contextOf, startSpan, withIds, withSpan } from '../telemetry/trace.ts';
import { withCallObserver } from './call-observer.ts';
import type { CallObserver } from './call-observer.ts';
import type { Claim } from './database/database-api.ts';

/** How the run of a task ended. */
export interface TaskEnd {
  /** `finished`, `retrying`, `failed` or `remaking`, as recorded; `lost` or `unrecorded` otherwise. */
  result: string;
  /** Code of the fault, or why the claim was lost. */
  code?: string;
}

/**
 * Runs the work of a claimed task in a span, with a finished child span for the claim.
 * @param calledAt when the claim was requested, in milliseconds of the epoch
 * @param onCall receives the calls to services that the work makes
 */
export async function traceTask(
  claim: Claim,
  calledAt: number,
  onCall: CallObserver,
  work: () => Promise<TaskEnd>,
): Promise<void> {
  const attributes = {
    'mashup.job': claim.job_id,
    'mashup.task': claim.task_id,
    'mashup.claim': claim.claim,
    'mashup.kind': claim.kind,
    'mashup.epoch': claim.epoch,
    'mashup.failures': claim.failures,
  };
  const options = {
    kind: SpanKind.CONSUMER,
    parent: withCallObserver(withIds(contextOf(claim.traceparent), idsOfClaim(claim)), onCall),
    startTime: calledAt,
    attributes,
  };
  await withSpan(`task ${claim.kind}`, options, async (span) => {
    startSpan('claim', { startTime: calledAt }).span.end();
    const { result, code } = await work();
    span.setAttribute('mashup.result', result);
    if (code === undefined) return;
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  });
}

function idsOfClaim({ claim, job_id, task_id }: Claim): Record<string, string> {
  return { job: job_id, task: task_id, claim };
}
