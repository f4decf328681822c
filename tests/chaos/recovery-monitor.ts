/** Monitors a stress test: how soon lost tasks run again, and whether version, epoch or progress of a job decreases. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosFixture } from './chaos-fixture.ts';

const POLL_MS = 100;
/** A recovered task that has not started again after this counts without a start. */
const START_LIMIT_MS = 10_000;

export type Loss = 'killed' | 'stopped' | 'cut';

export interface Recovery {
  loss: Loss;
  /** Seconds from the loss until the task was recovered from the lost worker. */
  recoveredSec: number;
  /** Seconds until its next attempt started; undefined if its job was cancelled or its service was unavailable. */
  startedSec?: number;
}

interface LostTask {
  id: string;
  claim: string;
  loss: Loss;
  at: number;
  recoveredAt?: number;
}

interface JobState {
  id: string;
  version: number;
  epoch: number;
  progress: number;
}

interface TaskState {
  id: string;
  claim: string | null;
  state: string;
  started_at: Date | null;
}

export class RecoveryMonitor {
  readonly recoveries: Recovery[] = [];
  /** Decreases that no client may see. */
  readonly violations: string[] = [];
  readonly #fixture: ChaosFixture;
  readonly #lostTasks: LostTask[] = [];
  readonly #jobs = new Map<string, JobState>();
  readonly #polling: Promise<void>;
  #isStopped = false;

  constructor(fixture: ChaosFixture) {
    this.#fixture = fixture;
    this.#polling = this.#poll();
    // `stop` reports a failure; until then it must not end the process.
    this.#polling.catch(() => {});
  }

  /** Records that the running tasks of a worker have lost it. */
  async recordLoss(workerId: string, loss: Loss): Promise<void> {
    const tasks = await this.#fixture.query(
      (sql) => sql<{ id: string; claim: string }[]>`
      select id, claim from mashup.tasks where worker_id = ${workerId} and state = 'running'`,
    );
    const at = Date.now();
    for (const { id, claim } of tasks) this.#lostTasks.push({ id, claim, loss, at });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#polling;
  }

  async #poll(): Promise<void> {
    while (!this.#isStopped) {
      await this.#checkJobs();
      await this.#checkLostTasks();
      await sleep(POLL_MS);
    }
  }

  async #checkJobs(): Promise<void> {
    const jobs = await this.#fixture.query(
      (sql) => sql<JobState[]>`
      select id, version, epoch, progress from mashup_jobs where updated_at > now() - interval '20 seconds'`,
    );
    for (const job of jobs) {
      const before = this.#jobs.get(job.id);
      this.#jobs.set(job.id, job);
      if (!before) continue;
      for (const name of ['version', 'epoch', 'progress'] as const) {
        // A new epoch may start with less progress.
        if (name === 'progress' && job.epoch !== before.epoch) continue;
        if (job[name] < before[name])
          this.violations.push(`job ${job.id}: ${name} fell from ${before[name]} to ${job[name]}`);
      }
    }
  }

  async #checkLostTasks(): Promise<void> {
    if (this.#lostTasks.length === 0) return;
    const ids = this.#lostTasks.map(({ id }) => id);
    const tasks = await this.#fixture.query(
      (sql) => sql<TaskState[]>`select id, claim, state, started_at from mashup.tasks where id = any(${ids})`,
    );
    for (const lost of [...this.#lostTasks]) {
      const recovery = checkRecovery(
        lost,
        tasks.find(({ id }) => id === lost.id),
      );
      if (!recovery) continue;
      this.#lostTasks.splice(this.#lostTasks.indexOf(lost), 1);
      this.recoveries.push(recovery);
    }
  }
}

/** Returns the recovery of a lost task; undefined while it is not complete. Sets `recoveredAt`. */
function checkRecovery(lost: LostTask, task: TaskState | undefined): Recovery | undefined {
  if (task?.claim === lost.claim) return undefined;
  const now = Date.now();
  lost.recoveredAt ??= now;
  const startedAt = task?.started_at?.getTime() ?? 0;
  const hasStarted = startedAt > lost.at;
  const isOver = !task || task.state === 'dropped' || task.state === 'failed';
  if (!hasStarted && !isOver && now - lost.recoveredAt < START_LIMIT_MS) return undefined;
  return {
    loss: lost.loss,
    recoveredSec: (Math.min(lost.recoveredAt, hasStarted ? startedAt : Infinity) - lost.at) / 1000,
    ...(hasStarted ? { startedSec: (startedAt - lost.at) / 1000 } : {}),
  };
}
