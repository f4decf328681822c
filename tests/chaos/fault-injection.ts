/** Runs the fault commands, one after another, in rounds that the seed shuffles: each command runs in every round. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosFixture } from './chaos-fixture.ts';
import { COMMANDS, createCommands } from './fault-commands.ts';
import type { FaultCommand } from './fault-commands.ts';
import type { Random } from './random.ts';
import type { RecoveryMonitor } from './recovery-monitor.ts';
import { WorkerFaults } from './worker-faults.ts';

export interface FaultInjectionOptions {
  fixture: ChaosFixture;
  monitor: RecoveryMonitor;
  chance: Random;
  /** Jobs so far; grows while jobs are submitted. */
  jobIds: readonly string[];
  /** Mean time between two commands. */
  everyMs: number;
}

export class FaultInjection {
  /** Number of commands so far. `kill_by_task` counts workers that a task has killed. */
  readonly counts = new Map<FaultCommand | 'kill_by_task', number>();
  /** Jobs that a command has cancelled. */
  readonly cancelled = new Set<string>();
  readonly #options: FaultInjectionOptions;
  readonly #workers: WorkerFaults;
  readonly #background = new Set<Promise<void>>();

  constructor(options: FaultInjectionOptions) {
    this.#options = options;
    const { fixture, monitor, chance } = options;
    this.#workers = new WorkerFaults(fixture, monitor, chance, (work) => this.#later(work));
  }

  /** Kills the worker that holds a claim, and starts another one. */
  killHolder(claim: string): void {
    this.#workers.killHolder(claim, () => this.#count('kill_by_task'));
  }

  /** Runs commands until `isOver`, at least one round. Resolves when all faults have ended. */
  async run(isOver: () => boolean): Promise<void> {
    const { fixture, chance, jobIds, everyMs } = this.#options;
    const commands = createCommands({
      fixture,
      workers: this.#workers,
      chance,
      jobIds,
      cancelled: this.cancelled,
      later: (work) => this.#later(work),
    });
    for (let round = 0; round === 0 || !isOver(); round++) {
      for (const name of chance.shuffled(COMMANDS)) {
        if (round > 0 && isOver()) break;
        await this.#workers.untilHalfIsUp();
        if (await commands[name]()) this.#count(name);
        await sleep(everyMs * (0.5 + chance.next()));
      }
    }
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  #later(work: () => Promise<void>): void {
    const done = work().finally(() => this.#background.delete(done));
    this.#background.add(done);
  }

  #count(command: FaultCommand | 'kill_by_task'): void {
    this.counts.set(command, (this.counts.get(command) ?? 0) + 1);
  }
}
