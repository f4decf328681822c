/** The storm: one fault after another from a deck that the seed shuffles, so that each kind comes up however short the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICES } from '../../schema.ts';
import type { Random } from './random.ts';
import type { Watch } from './recovery-watch.ts';
import { until } from './chaos-fixture.ts';
import type { ChaosWorker, ChaosWorld } from './chaos-fixture.ts';

/** How long what is stopped, cut or held stays so: with the run's lease of 4 s, longer than it, or shorter. */
const LONG_MS = 6_500;
const SHORT_MS = 1_500;

const DECK = [
  'kill',
  'kill',
  'kill',
  'kill',
  'stop',
  'stop_briefly',
  'cut',
  'cut_and_thaw',
  'terminate',
  'terminate',
  'restart_fast',
  'restart_immediate',
  'empty_queue',
  'hold_vacuum',
  'service_away',
  'cancel',
  'cancel',
  'replay',
  'replay',
  'replay',
  'replay',
  'raw_replay',
] as const;
export type Blow = (typeof DECK)[number] | 'kill_by_task';

export interface Storm {
  counts: Map<Blow, number>;
  /** Jobs that were cancelled by the storm at any time. */
  cancelled: Set<string>;
  /** Kills the worker that holds a claim, and starts another in its place. */
  killHolder(claim: string): void;
  /** Strikes until told to stop, at least once through the deck; then undoes what is not undone yet. */
  rage(isOver: () => boolean): Promise<void>;
}

export function makeStorm(
  world: ChaosWorld,
  watch: Watch,
  chance: Random,
  jobIds: readonly string[],
  everyMs: number,
): Storm {
  const counts = new Map<Blow, number>();
  const cancelled = new Set<string>();
  const aftermath = new Set<Promise<void>>();
  /** Workers that something is being done to. */
  const busy = new Set<ChaosWorker>();
  const fleet = world.workers.length;

  function later(work: () => Promise<void>): void {
    const done = work().finally(() => aftermath.delete(done));
    aftermath.add(done);
  }

  async function kill(victim: ChaosWorker): Promise<void> {
    busy.add(victim);
    victim.process.kill('SIGKILL');
    await victim.exited;
    await watch.lose(victim.id, 'killed');
    world.workers.splice(world.workers.indexOf(victim), 1);
    await world.addWorker();
  }

  /**
   * A busy machine takes longer to start a worker than the storm to strike it down: at least half of them are up before the
   * next blow, or no job could ever go on.
   */
  async function waitForWorkers(): Promise<void> {
    await until('half of the workers are up', () => freeWorkers().length * 2 >= fleet);
  }

  function freeWorkers(): ChaosWorker[] {
    return world.workers.filter((worker) => worker.isAlive() && !busy.has(worker));
  }

  async function anyWorker(): Promise<ChaosWorker | undefined> {
    // A task that cost two workers is spared: a third and a fourth by chance would be blamed on it.
    const risky = await world.ask(
      (sql) => sql<{ id: string }[]>`
      select distinct worker_id as id from mashup.tasks where state = 'running' and crashes >= 2`,
    );
    const free = freeWorkers().filter((worker) => risky.every(({ id }) => id !== worker.id));
    if (free.length < 2) return undefined;
    // One that has something to lose, where there is one.
    const rows = await world.ask(
      (sql) => sql<{ id: string }[]>`
      select distinct worker_id as id from mashup.tasks where state = 'running'`,
    );
    const at_work = free.filter((worker) => rows.some(({ id }) => id === worker.id));
    return chance.pick(at_work.length > 0 ? at_work : free);
  }

  function stop(victim: ChaosWorker, ms: number): void {
    busy.add(victim);
    victim.process.kill('SIGSTOP');
    later(async () => {
      if (ms === LONG_MS) await watch.lose(victim.id, 'stopped');
      await sleep(ms);
      victim.process.kill('SIGCONT');
      busy.delete(victim);
    });
  }

  function cut(victim: ChaosWorker, thaw: boolean): void {
    busy.add(victim);
    victim.proxy.cut();
    later(async () => {
      await watch.lose(victim.id, 'cut');
      await sleep(LONG_MS);
      victim.proxy.mend(thaw);
      busy.delete(victim);
    });
  }

  async function strike(blow: Blow): Promise<boolean> {
    switch (blow) {
      case 'kill': {
        const victim = await anyWorker();
        if (victim) later(() => kill(victim));
        return victim !== undefined;
      }
      case 'kill_by_task':
        return false;
      case 'stop':
      case 'stop_briefly': {
        const victim = await anyWorker();
        if (victim) stop(victim, blow === 'stop' ? LONG_MS : SHORT_MS);
        return victim !== undefined;
      }
      case 'cut':
      case 'cut_and_thaw': {
        const victim = await anyWorker();
        if (victim) cut(victim, blow === 'cut_and_thaw');
        return victim !== undefined;
      }
      case 'terminate':
        await world.ask(
          (sql) => sql`
          select count(pg_terminate_backend(pid)) from (
            select pid from pg_stat_activity where usename = 'mashup_worker' order by random() limit 6) hit`,
        );
        return true;
      case 'restart_fast':
      case 'restart_immediate':
        await world.restartPostgres(blow === 'restart_fast' ? 'fast' : 'immediate');
        return true;
      case 'empty_queue':
        await world.ask((sql) => sql`delete from graphile_worker._private_jobs`);
        return true;
      case 'hold_vacuum': {
        const holder = world.open();
        later(async () => {
          await holder
            .begin('isolation level repeatable read', async (tx) => {
              await tx`select count(*) from mashup_jobs`;
              await sleep(LONG_MS * 2);
            })
            .catch(() => {});
          await holder.end({ timeout: 1 });
        });
        return true;
      }
      case 'service_away': {
        const service = chance.pick(SERVICES);
        world.services.away.add(service);
        later(async () => {
          await sleep(SHORT_MS * 2);
          world.services.away.delete(service);
        });
        return true;
      }
      case 'cancel': {
        const rows = await world.ask(
          (sql) => sql<{ id: string }[]>`
          select id from mashup_jobs where status = 'processing' and admitted_at is not null order by id`,
        );
        if (rows.length === 0) return false;
        const { id } = chance.pick(rows);
        cancelled.add(id);
        await world.ask((sql) => sql`select mashup.cancel(${id})`).catch(ignoreRefusal);
        return true;
      }
      case 'replay':
      case 'raw_replay': {
        if (jobIds.length === 0) return false;
        const id = chance.pick(jobIds);
        const stage = chance.pick(['analyzing', 'scoring', 'planning', 'separating', 'rendering']);
        const act =
          blow === 'replay'
            ? world.ask((sql) => sql`select mashup.replay(${id}, ${stage}, fresh => ${chance.next() < 0.3})`)
            : world.ask(
                (sql) =>
                  sql`update mashup_jobs set stage = stage where id = ${id} and stage not in ('complete', 'failed', 'cancelled', 'queued')`,
              );
        await act.catch(ignoreRefusal);
        return true;
      }
    }
  }

  return {
    counts,
    cancelled,
    killHolder(claim) {
      later(async () => {
        const [row] = await world.ask(
          (sql) => sql<{ id: string }[]>`
          select worker_id as id from mashup.tasks where claim::text = ${claim}`,
        );
        const victim = world.workers.find((worker) => worker.id === row?.id && worker.isAlive() && !busy.has(worker));
        // A worker that is stopped or cut just now: the task's limit ends the attempt, and the next one kills.
        if (!victim) return;
        counts.set('kill_by_task', (counts.get('kill_by_task') ?? 0) + 1);
        await kill(victim);
      });
    },
    async rage(isOver) {
      for (let round = 0; round === 0 || !isOver(); round++) {
        for (const blow of chance.shuffled(DECK)) {
          if (round > 0 && isOver()) break;
          await waitForWorkers();
          if (await strike(blow)) counts.set(blow, (counts.get(blow) ?? 0) + 1);
          await sleep(everyMs * (0.5 + chance.next()));
        }
      }
      while (aftermath.size > 0) await Promise.all(aftermath);
    },
  };
}

/** A replay may be refused: the job has not come that far. */
function ignoreRefusal(error: unknown): void {
  if (!String((error as { code?: unknown }).code).startsWith('MB')) throw error;
}
