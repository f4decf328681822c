/** Looks on while the storm lasts: how soon lost tasks run again, and whether any watcher could see time run backwards. */
import type { ChaosWorld } from './chaos-fixture.ts';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 100;

export type Loss = 'killed' | 'stopped' | 'cut';

export interface Recovery {
  loss: Loss;
  /** From the loss to the moment that the task was taken from the lost worker. */
  freedSec: number;
  /** To the start of its next attempt, if it had one: its job may have been cancelled, its service away. */
  startedSec?: number;
}

export interface Watch {
  /** Notes that a worker is lost to the tasks that it runs now. */
  lose(workerId: string, loss: Loss): Promise<void>;
  recoveries: Recovery[];
  /** What no watcher may see. */
  faults: string[];
  stop(): Promise<void>;
}

interface Lost {
  id: string;
  claim: string;
  loss: Loss;
  at: number;
  freedAt?: number;
}

interface Seen {
  id: string;
  version: number;
  epoch: number;
  progress: number;
}

export function startWatch(world: ChaosWorld): Watch {
  const lost: Lost[] = [];
  const recoveries: Recovery[] = [];
  const faults: string[] = [];
  const seen = new Map<string, Seen>();
  let isStopped = false;

  async function look(): Promise<void> {
    const jobs = await world.ask(
      (sql) => sql<Seen[]>`
      select id, version, epoch, progress from mashup_jobs where updated_at > now() - interval '20 seconds'`,
    );
    for (const job of jobs) {
      const before = seen.get(job.id);
      if (before && job.version < before.version)
        faults.push(`job ${job.id}: version fell from ${before.version} to ${job.version}`);
      if (before && job.epoch < before.epoch) faults.push(`job ${job.id}: epoch fell`);
      if (before && job.epoch === before.epoch && job.progress < before.progress)
        faults.push(`job ${job.id}: progress fell from ${before.progress} to ${job.progress}`);
      seen.set(job.id, job);
    }
    if (lost.length === 0) return;
    const tasks = await world.ask(
      (sql) => sql<{ id: string; claim: string | null; state: string; started_at: Date | null }[]>`
      select id, claim, state, started_at from mashup.tasks where id = any(${lost.map(({ id }) => id)})`,
    );
    const now = Date.now();
    for (const one of [...lost]) {
      const task = tasks.find(({ id }) => id === one.id);
      if (task?.claim === one.claim) continue;
      one.freedAt ??= now;
      const startedAt = task?.started_at?.getTime() ?? 0;
      const isOver = !task || task.state === 'dropped' || task.state === 'failed';
      if (startedAt <= one.at && !isOver && now - one.freedAt < 10_000) continue;
      lost.splice(lost.indexOf(one), 1);
      recoveries.push({
        loss: one.loss,
        freedSec: (Math.min(one.freedAt, startedAt > one.at ? startedAt : Infinity) - one.at) / 1000,
        ...(startedAt > one.at ? { startedSec: (startedAt - one.at) / 1000 } : {}),
      });
    }
  }

  const looking = (async () => {
    while (!isStopped) {
      await look();
      await sleep(LOOK_MS);
    }
  })();

  // Seen by `stop`; until then it must not end the process.
  looking.catch(() => {});

  return {
    recoveries,
    faults,
    async lose(workerId, loss) {
      const tasks = await world.ask(
        (sql) => sql<{ id: string; claim: string }[]>`
        select id, claim from mashup.tasks where worker_id = ${workerId} and state = 'running'`,
      );
      const at = Date.now();
      for (const { id, claim } of tasks) lost.push({ id, claim, loss, at });
    },
    async stop() {
      isStopped = true;
      await looking;
    },
  };
}
