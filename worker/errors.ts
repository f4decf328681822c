/** Errors of the worker: why an attempt ended, and what that means for the next attempt. */
import type { SongRanges } from '../schema.ts';
import type { CircuitName, ServiceName } from '../schema.ts';

/**
 * Class of a fault. `permanent`: no further attempt. `transient`: a limited number of further attempts. `overloaded` and
 * `unavailable`: a later attempt; they also count as failures in the circuit breaker of the service to blame. `refused`: the
 * service refuses the key of this project; its circuit opens at once.
 */
export type FaultClass = 'permanent' | 'transient' | 'overloaded' | 'unavailable' | 'refused';

/**
 * Whether a fault counts towards the attempts of its task. Not where neither the task nor its service is to blame. `if_answering`:
 * the call had no answer of the service, which may have been away before: the fault counts only if the service answered a check
 * right before the call.
 */
export type Spends = boolean | 'if_answering';

export interface TaskErrorOptions {
  code: string;
  hint: string;
  faultClass: FaultClass;
  /** The service to blame; default: that of the kind of task. */
  service?: CircuitName;
  /** Whether the fault counts towards the attempts of the task; default: true. */
  spendsAttempt?: Spends;
  /** Seconds to wait before the next call, as requested by the service. */
  retryAfterSec?: number;
  /** HTTP status of the response, if there was one. */
  status?: number;
  /** Body of the error response as received; untrusted. */
  body?: Record<string, unknown>;
  cause?: unknown;
}

/** Ends an attempt. `message` and `hint` are shown to the user and contain no secrets. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code: string;
  readonly hint: string;
  readonly faultClass: FaultClass;
  readonly service: CircuitName | undefined;
  readonly spendsAttempt: Spends;
  readonly retryAfterSec: number | undefined;
  readonly status: number | undefined;
  readonly body: Record<string, unknown> | undefined;

  constructor(message: string, options: TaskErrorOptions) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.faultClass = options.faultClass;
    this.service = options.service;
    this.spendsAttempt = options.spendsAttempt ?? true;
    this.retryAfterSec = options.retryAfterSec;
    this.status = options.status;
    this.body = options.body;
  }
}

/**
 * Stems of the cache whose files are missing from Storage. Reported to the database by their ids: the job goes back and makes
 * them again, so that nobody has to upload a song that is there.
 */
export class StemsGone extends TaskError {
  readonly stemsIds: readonly number[];

  constructor(stemsIds: readonly number[], names: readonly string[], cause?: unknown) {
    super(`The stems of ${names.join(' and ')} are missing from Storage.`, {
      code: 'stems_gone',
      hint: 'They are made again.',
      faultClass: 'transient',
      spendsAttempt: false,
      cause,
    });
    this.stemsIds = stemsIds;
  }
}

/**
 * A render needs parts of songs that were not separated. Reported to the database: the job goes back and separates them as well.
 */
export class RangesMissing extends TaskError {
  readonly ranges: Readonly<Record<string, SongRanges>>;

  constructor(message: string, ranges: Readonly<Record<string, SongRanges>>) {
    super(message, {
      code: 'stems_missing',
      hint: 'More of the songs is separated.',
      faultClass: 'transient',
      spendsAttempt: false,
    });
    this.ranges = ranges;
  }
}

/** The answer to a claim is not one that this version of the worker can read. The task may be claimed. */
export class UnreadableClaim extends TaskError {
  constructor(detail: string, cause: unknown) {
    super(`The worker cannot read the task that the database gave it (${detail}).`, {
      code: 'claim_unreadable',
      hint: 'Run `mashup migrate` and start workers of the same version; if that does not help, correct the values that the message names.',
      faultClass: 'transient',
      cause,
    });
  }
}

/**
 * Why a claim is lost: its job was replayed, cancelled or failed, the task was recovered from this worker, its lease could not
 * be kept, or this worker is stopping.
 */
export const LOSS_REASONS = ['replayed', 'cancelled', 'failed', 'lost', 'no_heartbeat', 'stopping'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** The task no longer belongs to this worker. Reason of the abort signal; the work in progress is discarded. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
  readonly reason: LossReason;

  constructor(reason: LossReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A configuration or a database with which the worker does not start. */
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

const SERVICE_TITLES: Record<ServiceName, string> = {
  analysis: 'The analysis service',
  processing: 'The rendering service',
  scoring: 'The scoring service',
  orchestrator: 'The planning service',
  separation: 'The separation service',
};

/** Name of a service in messages to users, as the subject of a sentence: `The rendering service`. */
export function serviceTitle(service: ServiceName): string {
  return SERVICE_TITLES[service];
}
