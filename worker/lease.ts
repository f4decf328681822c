/**
 * Holds the lease of a claim while its task runs: sends heartbeats with progress, and aborts the work as soon as the claim is
 * lost. If no heartbeat succeeds for most of the lease, the worker aborts on its own, before another worker can start the task.
 */
import { ClaimLost, TaskError } from './errors.ts';
import type { LossReason } from './errors.ts';
import type { Db } from './database/database.ts';
import type { Log } from './log.ts';
import { ProgressBuffer } from './progress-buffer.ts';
import { errorText } from './redact.ts';
import { heartbeatTask } from './database/database-api.ts';
import type { Claim } from './database/database-api.ts';

/** Work is aborted when this share of its lease is left (5 s of 30 s): no other worker can have started the task by then. */
const LEASE_MARGIN = 1 / 6;
/** Delay before a failed heartbeat is repeated. */
const HEARTBEAT_RETRY_MS = 1_000;
const CHECK_INTERVAL_MS = 500;

const REASON_TEXTS: Record<LossReason, string> = {
  replayed: 'the job was replayed',
  cancelled: 'the job was cancelled',
  failed: 'the job has failed',
  lost: 'the task was recovered from this worker',
  no_heartbeat: 'no heartbeat succeeded within the lease',
  stopping: 'the worker is stopping',
};

/** The lease of one claim. Times are of the monotonic clock. */
export class Lease {
  readonly #db: Db;
  readonly #claim: Claim;
  readonly #log: Log;
  readonly #controller = new AbortController();
  readonly #progress = new ProgressBuffer();
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #extendedAt = this.#startedAt;
  #nextHeartbeatAt: number;
  #isWorkDone = false;
  #isSending = false;
  #isCheckRequested = false;

  constructor(db: Db, claim: Claim, log: Log) {
    this.#db = db;
    this.#claim = claim;
    this.#log = log;
    this.#nextHeartbeatAt = this.#startedAt + claim.heartbeat_sec * 1000;
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
  }

  /** Aborts with a ClaimLost, or with a TaskError when the task exceeds its time limit. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Reports progress (0..1 of the task) and the text of the current step. */
  reportProgress(progress: number | undefined, step: string | undefined): void {
    this.#progress.add(progress, step);
  }

  /**
   * The work is done and its result is being written. From now on only the database ends the claim: without it nobody can have
   * taken the task, and the result is kept until the database is back.
   */
  keepUntilWritten(): void {
    this.#isWorkDone = true;
  }

  /** Sends a heartbeat now, to learn whether the claim is still held. */
  checkNow(): void {
    void this.#sendHeartbeat();
  }

  /** Aborts the work. */
  abort(reason: LossReason): void {
    this.#end(new ClaimLost(reason, REASON_TEXTS[reason]));
  }

  /** Stops the heartbeats without aborting the work. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #end(reason: ClaimLost | TaskError): void {
    this.stop();
    if (!this.signal.aborted) this.#controller.abort(reason);
  }

  #check(): void {
    const now = performance.now();
    const { lease_sec, timeout_sec } = this.#claim;
    if (this.#isWorkDone) {
      if (now >= this.#nextHeartbeatAt) void this.#sendHeartbeat();
    } else if (now - this.#extendedAt > lease_sec * (1 - LEASE_MARGIN) * 1000) {
      this.abort('no_heartbeat');
    } else if (now - this.#startedAt > timeout_sec * 1000) {
      this.#end(taskTimeout(this.#claim));
    } else if (now >= this.#nextHeartbeatAt || this.#progress.isDue(now)) {
      void this.#sendHeartbeat();
    }
  }

  /** Sends one heartbeat at a time. A check that is requested meanwhile sends one more. */
  async #sendHeartbeat(): Promise<void> {
    if (this.#isSending) {
      this.#isCheckRequested = true;
      return;
    }
    this.#isSending = true;
    const sentAt = performance.now();
    const report = this.#progress.take(sentAt);
    try {
      const status = await heartbeatTask(this.#db, this.#claim, report);
      if (status === 'held') {
        this.#extendedAt = sentAt;
        this.#nextHeartbeatAt = sentAt + this.#claim.heartbeat_sec * 1000;
      } else {
        this.abort(status);
      }
    } catch (error) {
      this.#nextHeartbeatAt = sentAt + HEARTBEAT_RETRY_MS;
      this.#progress.restore(report);
      const { task_id: task, job_id: job, claim } = this.#claim;
      this.#log('warn', 'a task heartbeat failed', { task, job, claim, error: errorText(error) });
    } finally {
      this.#isSending = false;
    }
    if (this.#isCheckRequested && !this.signal.aborted) {
      this.#isCheckRequested = false;
      await this.#sendHeartbeat();
    }
  }
}

/** Starts to hold the lease of a claim. `stop` ends it. */
export function holdLease(db: Db, claim: Claim, log: Log): Lease {
  return new Lease(db, claim, log);
}

function taskTimeout({ kind, timeout_sec }: Claim): TaskError {
  return new TaskError(`The ${kind} task took longer than ${timeout_sec} s.`, {
    code: 'task_timeout',
    hint: 'Try again. If it happens again, use shorter songs.',
    faultClass: 'transient',
  });
}
