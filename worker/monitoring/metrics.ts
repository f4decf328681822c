/** What a worker counts and measures of its own work, for Prometheus. Sums over workers are meaningful. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TASK_KINDS, TERMINAL_STAGES } from '../../schema/database.ts';
import { SERVICES } from '../../schema/services.ts';
import type { Claim } from '../database/database-api.ts';
import { LOSS_REASONS } from '../errors.ts';

/** Upper bounds in seconds. Tasks take from milliseconds (cache) to half an hour. */
const DURATION_BUCKETS = [0.05, 0.25, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1_800];
const WAIT_BUCKETS = [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 600, 1_800, 3_600];
/** Around the promises: five seconds for a worker that ended, forty for one that hangs. */
const RECOVERY_BUCKETS = [0.5, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 20, 30, 40, 60, 120];
const CALL_BUCKETS = [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];
/** Codes of faults come from services as well, so their number is limited. */
const MAX_CODES = 100;
const TASK_ENDS = ['finished', 'retrying', 'failed', 'lost'];
const STORED = ['upload_read', 'result_written'] as const;

/** The metrics of one worker, in a registry of their own: several workers may run in one process. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #codes = new Set<string>();
  readonly #duration = this.#histogram('mashup_task_duration_seconds', 'Time from the claim of a task to its end.', {
    labels: ['kind', 'result'],
    buckets: DURATION_BUCKETS,
  });
  readonly #wait = this.#histogram('mashup_task_wait_seconds', 'Time from when a task was due to its claim.', {
    labels: ['kind'],
    buckets: WAIT_BUCKETS,
  });
  readonly #recovery = this.#histogram(
    'mashup_task_recovery_seconds',
    'Time from the last sign of life of a lost worker to the next claim of its task.',
    { labels: ['kind'], buckets: RECOVERY_BUCKETS },
  );
  readonly #call = this.#histogram('mashup_service_call_seconds', 'Duration of calls to audio services.', {
    labels: ['service', 'result'],
    buckets: CALL_BUCKETS,
  });
  readonly #faults = this.#counter('mashup_task_faults_total', 'Attempts that ended in a fault.', [
    'kind',
    'code',
    'outcome',
  ]);
  readonly #lost = this.#counter('mashup_claims_lost_total', 'Claims that were lost while their task ran.', [
    'kind',
    'reason',
  ]);
  readonly #ended = this.#counter('mashup_jobs_ended_total', 'Ends of jobs.', ['result']);
  readonly #failed = this.#counter('mashup_jobs_failed_total', 'Jobs that failed, by the code of the error.', ['code']);
  readonly #storageBytes = this.#counter(
    'mashup_storage_bytes_total',
    'Bytes of uploads that workers read, and of results that services wrote.',
    ['what'],
  );
  readonly #running = new Gauge({
    name: 'mashup_worker_running_tasks',
    help: 'Tasks that this worker runs now.',
    registers: [this.registry],
  });

  constructor() {
    // A series that begins with its first event has no increase then, and no alert would see it.
    for (const kind of TASK_KINDS) {
      this.#wait.zero({ kind });
      this.#recovery.zero({ kind });
      for (const result of TASK_ENDS) this.#duration.zero({ kind, result });
      for (const reason of LOSS_REASONS) this.#lost.inc({ kind, reason }, 0);
    }
    for (const service of SERVICES) this.#call.zero({ service, result: 'ok' });
    for (const result of TERMINAL_STAGES) this.#ended.inc({ result }, 0);
    for (const what of STORED) this.#storageBytes.inc({ what }, 0);
  }

  /** A task was claimed. */
  claimed({ kind, waited_sec, lost_for_sec }: Claim): void {
    this.#running.inc();
    if (waited_sec !== undefined) this.#wait.observe({ kind }, waited_sec);
    if (lost_for_sec != null) this.#recovery.observe({ kind }, lost_for_sec);
  }

  /** The run of a task ended. @param result of the database, `lost` or `unrecorded` */
  ended(kind: Claim['kind'], result: string, seconds: number): void {
    this.#running.dec();
    this.#duration.observe({ kind, result }, seconds);
  }

  /** A claim was lost. */
  lost(kind: Claim['kind'], reason: string): void {
    this.#lost.inc({ kind, reason });
  }

  /** An attempt ended in a fault. @param outcome `retrying` or `failed`, or why the claim was lost */
  faulted(kind: Claim['kind'], code: string, outcome: string): void {
    this.#faults.inc({ kind, code: this.#limited(code), outcome });
  }

  /** A call to a service ended. @param result `ok` or the code of the fault */
  readonly called = (service: string, result: string, seconds: number): void => {
    this.#call.observe({ service, result }, seconds);
  };

  /** A job ended. */
  jobEnded(result: string, code: string | null): void {
    this.#ended.inc({ result });
    if (code !== null) this.#failed.inc({ code: this.#limited(code) });
  }

  /** Bytes of an upload that this worker read, or of a result that a service has written. */
  storageBytes(what: (typeof STORED)[number], bytes: number): void {
    if (Number.isFinite(bytes) && bytes > 0) this.#storageBytes.inc({ what }, bytes);
  }

  #limited(code: string): string {
    if (this.#codes.size < MAX_CODES) this.#codes.add(code);
    return this.#codes.has(code) ? code : 'other';
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    { labels, buckets }: { labels: Label[]; buckets: number[] },
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames: labels, buckets, registers: [this.registry] });
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
