/** Progress reports of one task, thinned out before they are sent with heartbeats. */

/** Shortest time between two reports. */
const REPORT_INTERVAL_MS = 1_000;

export interface ProgressReport {
  /** 0..1 of the task. */
  progress?: number;
  /** Text of the current step. */
  step?: string;
}

/** Keeps the newest report until it is sent. */
export class ProgressBuffer {
  #newest: ProgressReport = {};
  #pending: ProgressReport | undefined;
  #repeat: ProgressReport | undefined;
  #sentAt = -Infinity;

  /** Adds a report. Equal reports in a row count once. */
  add(progress: number | undefined, step: string | undefined): void {
    if (progress === this.#newest.progress && step === this.#newest.step) return;
    this.#newest = { progress, step };
    this.#pending = this.#newest;
  }

  /** Whether a report should be sent at a time of the monotonic clock. */
  isDue(now: number): boolean {
    return this.#pending !== undefined && now - this.#sentAt >= REPORT_INTERVAL_MS;
  }

  /**
   * Takes the report for the next heartbeat. Each report is sent a second time with the heartbeat after it: the database
   * ignores a report that comes right after another change of the job's row.
   */
  take(now: number): ProgressReport | undefined {
    const report = this.#pending ?? this.#repeat;
    this.#repeat = this.#pending;
    if (this.#pending !== undefined) this.#sentAt = now;
    this.#pending = undefined;
    return report;
  }

  /** Puts a report back that could not be sent, unless a newer one is pending. */
  restore(report: ProgressReport | undefined): void {
    this.#pending ??= report;
  }
}
