/** Whether a service is there, before it is given work again after a call without an answer. */
import type { ServiceName } from '../../schema.ts';
import { TaskError } from '../errors.ts';
import { reportServiceCheck } from '../database/service-checks-api.ts';
import type { Claim } from '../database/database-api.ts';
import type { WorkerContext } from '../tasks/context.ts';
import { callJson } from './http.ts';
import { MAYBE_PAID } from './orchestrator.ts';

/** Limit of the check. */
const CHECK_TIMEOUT_MS = 5_000;

/**
 * Asks a service for its health. Any answer will do, also that there is no such path: only a proxy, or nobody, answers as
 * unavailable.
 * @throws TaskError `service_unavailable`, which spends no attempt, if the service does not answer
 */
export async function checkAnswering(
  service: ServiceName,
  baseUrl: string,
  options: { signal: AbortSignal; token?: string },
): Promise<void> {
  try {
    await callJson({ service, baseUrl, path: '/health', timeoutMs: CHECK_TIMEOUT_MS, ...options });
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof TaskError) || error.faultClass !== 'unavailable') return;
    const { message, hint, retryAfterSec, status, faultClass } = error;
    throw new TaskError(message, {
      code: 'service_unavailable',
      hint,
      faultClass,
      spendsAttempt: false,
      retryAfterSec,
      status,
      cause: error,
    });
  }
}

/** Codes of faults without an answer of the service. */
const UNANSWERED: ReadonlySet<string> = new Set(['service_unavailable', 'service_timeout', 'service_connection_lost']);

/**
 * Checks the service of a task that probes it, or whose last call it did not answer: nobody gives work to a service that is away,
 * and a fault that follows is not one of an outage.
 * @returns whether the service was checked, and answered
 * @throws as {@link checkAnswering}
 */
export async function checkBeforeWork(
  { db, serviceTokens, serviceUrls }: Pick<WorkerContext, 'db' | 'serviceTokens' | 'serviceUrls'>,
  { fallback, is_probe, kind, last_error, service }: Claim,
  signal: AbortSignal,
): Promise<boolean> {
  const isUnanswered = UNANSWERED.has(last_error ?? '');
  // A call of a planner that may have been paid for is not repeated: the attempt needs no service.
  const needsService = kind === 'plan' ? isUnanswered && !MAYBE_PAID.has(last_error ?? '') : is_probe || isUnanswered;
  if (fallback || !needsService) return false;
  await checkAnswering(service, serviceUrls[service], { signal, token: serviceTokens[service] });
  await reportServiceCheck(db, service);
  return true;
}
