/** Errors of the worker: why a task's attempt ended, and what that means for the next one. */
import type { ServiceName } from '../schema.ts';

/**
 * What an attempt's fault means: `permanent` never again; `transient` again, a limited number of times; `overloaded` and
 * `unavailable` later, and they count for the service's circuit.
 */
export type FaultClass = 'permanent' | 'transient' | 'overloaded' | 'unavailable';

export interface TaskErrorOptions {
  code: string;
  hint: string;
  faultClass: FaultClass;
  /** Seconds that the service asked to be left alone. */
  retryAfterSec?: number;
  /** HTTP status of the answer, where there was one. */
  status?: number;
  /** The error's body as it came; untrusted. */
  body?: Record<string, unknown>;
  cause?: unknown;
}

/** Ends an attempt. `message` and `hint` are shown to the user: they hold no secret. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: string;
  readonly hint: string;
  readonly faultClass: FaultClass;
  readonly retryAfterSec: number | undefined;
  readonly status: number | undefined;
  readonly body: Record<string, unknown> | undefined;

  constructor(message: string, options: TaskErrorOptions) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.faultClass = options.faultClass;
    this.retryAfterSec = options.retryAfterSec;
    this.status = options.status;
    this.body = options.body;
  }
}

/** Why a claim is void: the job was replayed, cancelled or failed, the task was taken away, or this worker is stopping. */
export type Verdict = 'replayed' | 'cancelled' | 'failed' | 'lost' | 'stopping';

/** The reason of an abort: the task is no longer this worker's, so whatever it is doing is dropped. */
export class ClaimVoid extends Error {
  override readonly name = 'ClaimVoid';
  readonly verdict: Verdict;

  constructor(verdict: Verdict, message: string) {
    super(message);
    this.verdict = verdict;
  }
}

/** A configuration or database that the worker refuses to start with. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** How services are called in messages to users. */
const SERVICE_WORDS: Record<ServiceName, string> = {
  analysis: 'The analysis service',
  processing: 'The rendering service',
  scoring: 'The scoring service',
  orchestrator: 'The planning service',
  separation: 'The separation service',
};

export function serviceWords(service: ServiceName): string {
  return SERVICE_WORDS[service];
}
