/** The commands of the stress test: each injects one fault, or cancels or replays a job. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICES, WORKING_STAGES } from '../../schema.ts';
import type { ChaosFixture } from './chaos-fixture.ts';
import type { Random } from './random.ts';
import { LONG_MS, SHORT_MS } from './worker-faults.ts';
import type { WorkerFaults } from './worker-faults.ts';

/** A command. Returns false if there was nothing to apply it to. */
type Command = () => Promise<boolean>;

/** The commands of one round; frequent ones occur several times. */
export const COMMANDS = [
  'kill',
  'kill',
  'kill',
  'kill',
  'stop',
  'stop_briefly',
  'cut',
  'cut_and_resume',
  'terminate',
  'terminate',
  'restart_fast',
  'restart_immediate',
  'empty_queue',
  'hold_vacuum',
  'service_outage',
  'storage_outage',
  'cancel',
  'cancel',
  'replay',
  'replay',
  'replay',
  'replay',
  'replay_by_update',
] as const;
export type FaultCommand = (typeof COMMANDS)[number];

/** Backends that `terminate` ends. */
const TERMINATED_BACKENDS = 6;
/** Share of replays that ignore cached analyses and stems. */
const FRESH_REPLAYS = 0.3;

export interface FaultCommandContext {
  fixture: ChaosFixture;
  workers: WorkerFaults;
  chance: Random;
  /** Jobs so far. */
  jobIds: readonly string[];
  /** Jobs that a command has cancelled. */
  cancelled: Set<string>;
  /** Runs work in the background. */
  later: (work: () => Promise<void>) => void;
}

/** Creates the commands. */
export function createCommands(context: FaultCommandContext): Record<FaultCommand, Command> {
  const { fixture, workers } = context;
  return {
    kill: () => workers.kill(),
    stop: () => workers.stop(LONG_MS),
    stop_briefly: () => workers.stop(SHORT_MS),
    cut: () => workers.cut(false),
    cut_and_resume: () => workers.cut(true),
    terminate: () => terminateBackends(context),
    restart_fast: () => fixture.restartPostgres('fast').then(() => true),
    restart_immediate: () => fixture.restartPostgres('immediate').then(() => true),
    empty_queue: () => fixture.query((sql) => sql`delete from mashup_queue._private_jobs`).then(() => true),
    hold_vacuum: () => holdVacuum(context),
    service_outage: () => startServiceOutage(context),
    storage_outage: () => startStorageOutage(context),
    cancel: () => cancelJob(context),
    replay: () => replayJob(context),
    replay_by_update: () => replayJobByUpdate(context),
  };
}

async function terminateBackends({ fixture }: FaultCommandContext): Promise<boolean> {
  await fixture.query(
    (sql) => sql`
    select count(pg_terminate_backend(pid)) from (
      select pid from pg_stat_activity where usename = 'mashup_worker' order by random() limit ${TERMINATED_BACKENDS}) victims`,
  );
  return true;
}

/** Keeps a snapshot open, so that vacuum cannot remove dead rows. */
function holdVacuum({ fixture, later }: FaultCommandContext): Promise<boolean> {
  const connection = fixture.openConnection();
  later(async () => {
    await connection
      .begin('isolation level repeatable read', async (tx) => {
        await tx`select count(*) from mashup_jobs`;
        await sleep(LONG_MS * 2);
      })
      .catch(() => {});
    await connection.end({ timeout: 1 });
  });
  return Promise.resolve(true);
}

function startServiceOutage({ fixture, chance, later }: FaultCommandContext): Promise<boolean> {
  const service = chance.pick(SERVICES);
  fixture.services.outages.add(service);
  later(async () => {
    await sleep(SHORT_MS * 2);
    fixture.services.outages.delete(service);
  });
  return Promise.resolve(true);
}

/** Stops Storage for workers and services. One outage at a time. */
async function startStorageOutage({ fixture, chance, later }: FaultCommandContext): Promise<boolean> {
  if (!fixture.storage.isRunning()) return false;
  await fixture.storage.stop();
  later(async () => {
    await sleep(chance.next() < 0.5 ? SHORT_MS : LONG_MS);
    await fixture.storage.start();
  });
  return true;
}

async function cancelJob({ fixture, chance, cancelled }: FaultCommandContext): Promise<boolean> {
  const rows = await fixture.query(
    (sql) => sql<{ id: string }[]>`
    select id from mashup_jobs where status = 'processing' and admitted_at is not null order by id`,
  );
  if (rows.length === 0) return false;
  const { id } = chance.pick(rows);
  cancelled.add(id);
  await fixture.query((sql) => sql`select mashup.cancel(${id})`).catch(ignoreRefusal);
  return true;
}

async function replayJob({ fixture, chance, jobIds }: FaultCommandContext): Promise<boolean> {
  if (jobIds.length === 0) return false;
  const id = chance.pick(jobIds);
  const stage = chance.pick(WORKING_STAGES);
  const isFresh = chance.next() < FRESH_REPLAYS;
  await fixture.query((sql) => sql`select mashup.replay(${id}, ${stage}, fresh => ${isFresh})`).catch(ignoreRefusal);
  return true;
}

async function replayJobByUpdate({ fixture, chance, jobIds }: FaultCommandContext): Promise<boolean> {
  if (jobIds.length === 0) return false;
  const id = chance.pick(jobIds);
  await fixture
    .query(
      (sql) => sql`
      update mashup_jobs set stage = stage
      where id = ${id} and stage not in ('complete', 'failed', 'cancelled', 'queued')`,
    )
    .catch(ignoreRefusal);
  return true;
}

/** The state machine may refuse a replay of a job that has not reached the stage yet. */
function ignoreRefusal(error: unknown): void {
  if (!String((error as { code?: unknown }).code).startsWith('MB')) throw error;
}
