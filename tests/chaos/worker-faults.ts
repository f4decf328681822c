/** Faults of worker processes: killed, stopped, and cut off from the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosFixture, ChaosWorker } from './chaos-fixture.ts';
import type { Random } from './random.ts';
import type { RecoveryMonitor } from './recovery-monitor.ts';

/** Durations of stops and cuts. The lease of the stress test is 4 s: one is longer, the other shorter. */
export const LONG_MS = 6_500;
export const SHORT_MS = 1_500;
/** A task that lost so many workers is spared: two more losses by chance would fail its job. */
const MAX_CRASHES = 2;

export class WorkerFaults {
  readonly #fixture: ChaosFixture;
  readonly #monitor: RecoveryMonitor;
  readonly #chance: Random;
  /** Runs work in the background. */
  readonly #later: (work: () => Promise<void>) => void;
  /** Workers with a fault. */
  readonly #faulty = new Set<ChaosWorker>();
  readonly #workerCount: number;

  constructor(
    fixture: ChaosFixture,
    monitor: RecoveryMonitor,
    chance: Random,
    later: (work: () => Promise<void>) => void,
  ) {
    this.#fixture = fixture;
    this.#monitor = monitor;
    this.#chance = chance;
    this.#later = later;
    this.#workerCount = fixture.workers.length;
  }

  /**
   * Waits until half of the workers have no fault. A busy machine starts workers more slowly than the commands kill them, and no
   * job could continue.
   */
  async untilHalfIsUp(): Promise<void> {
    await this.#fixture.until('half of the workers run', () => this.#healthy().length * 2 >= this.#workerCount);
  }

  /** Kills a worker and starts another one. Returns false if no worker can be spared. */
  async kill(): Promise<boolean> {
    const victim = await this.#chooseVictim();
    if (victim) this.#later(() => this.#killAndReplace(victim));
    return victim !== undefined;
  }

  /** Kills the worker that holds a claim and starts another one. `onKill` is called before, if there is such a worker. */
  killHolder(claim: string, onKill: () => void): void {
    this.#later(async () => {
      const [row] = await this.#fixture.query(
        (sql) => sql<{ id: string }[]>`select worker_id as id from mashup.tasks where claim::text = ${claim}`,
      );
      // If the worker has another fault, the task's time limit ends the attempt, and the next attempt kills its worker.
      const victim = this.#healthy().find((worker) => worker.id === row?.id);
      if (!victim) return;
      onKill();
      await this.#killAndReplace(victim);
    });
  }

  /** Stops a worker with SIGSTOP for a time. Returns false if no worker can be spared. */
  async stop(ms: number): Promise<boolean> {
    const victim = await this.#chooseVictim();
    if (!victim) return false;
    this.#faulty.add(victim);
    victim.process.kill('SIGSTOP');
    this.#later(async () => {
      if (ms === LONG_MS) await this.#monitor.recordLoss(victim.id, 'stopped');
      await sleep(ms);
      victim.process.kill('SIGCONT');
      this.#faulty.delete(victim);
    });
    return true;
  }

  /**
   * Makes the connections of a worker half-open for a time. With `resumeOld` they continue afterwards. Returns false if no worker
   * can be spared.
   */
  async cut(resumeOld: boolean): Promise<boolean> {
    const victim = await this.#chooseVictim();
    if (!victim) return false;
    this.#faulty.add(victim);
    victim.proxy.cut();
    this.#later(async () => {
      await this.#monitor.recordLoss(victim.id, 'cut');
      await sleep(LONG_MS);
      victim.proxy.restore(resumeOld);
      this.#faulty.delete(victim);
    });
    return true;
  }

  async #killAndReplace(victim: ChaosWorker): Promise<void> {
    this.#faulty.add(victim);
    victim.process.kill('SIGKILL');
    await victim.exited;
    await this.#monitor.recordLoss(victim.id, 'killed');
    this.#fixture.removeWorker(victim);
    await this.#fixture.addWorker();
  }

  #healthy(): ChaosWorker[] {
    return this.#fixture.workers.filter((worker) => worker.isAlive() && !this.#faulty.has(worker));
  }

  /** Chooses a worker, one with a running task if possible. At least one healthy worker is left. */
  async #chooseVictim(): Promise<ChaosWorker | undefined> {
    const spared = await this.#fixture.query(
      (sql) => sql<{ id: string }[]>`
      select distinct worker_id as id from mashup.tasks where state = 'running' and crashes >= ${MAX_CRASHES}`,
    );
    const candidates = this.#healthy().filter((worker) => spared.every(({ id }) => id !== worker.id));
    if (candidates.length < 2) return undefined;
    const rows = await this.#fixture.query(
      (sql) => sql<{ id: string }[]>`select distinct worker_id as id from mashup.tasks where state = 'running'`,
    );
    const atWork = candidates.filter((worker) => rows.some(({ id }) => id === worker.id));
    return this.#chance.pick(atWork.length > 0 ? atWork : candidates);
  }
}
