/** The environment of the kill matrix: calls and claims can be held, and workers killed and replaced. */
import assert from 'node:assert/strict';
import type postgres from 'postgres';
import type { ServiceName } from '../../schema.ts';
import { TASK_KIND_DEFINITIONS } from '../../schema/database.ts';
import type { TaskKind } from '../../schema/database.ts';
import { startChaosFixture } from './chaos-fixture.ts';
import type { ChaosFixture, ChaosWorker } from './chaos-fixture.ts';
import type { CallMoment } from './faulty-services.ts';

const SERVICE_OF = Object.fromEntries(TASK_KIND_DEFINITIONS.map(({ kind, service }) => [kind, service])) as Record<
  TaskKind,
  ServiceName
>;
/** The advisory lock for which a held claim waits. */
const CLAIM_LOCK = 5430004;

/** Holds the next call of a service for a song until it is released. */
interface Hold {
  service: ServiceName;
  songId: string;
  at: CallMoment;
  reached: () => void;
  released: Promise<void>;
}

export interface TaskRow {
  id: string;
  state: string;
  worker_id: string | null;
  started_at: Date;
  claim: string | null;
}

/** Starts the environment with two workers. */
export async function startKillFixture(): Promise<KillFixture> {
  const fixture: KillFixture = new KillFixture(
    await startChaosFixture({
      settings: { restart_grace_sec: '0', max_submits_per_minute: '1000', max_queued_jobs_per_user: '1000' },
      onCall: (service, moment, songId) => fixture.holdIfWanted(service, moment, songId),
    }),
  );
  await fixture.prepare();
  return fixture;
}

export class KillFixture {
  readonly chaos: ChaosFixture;
  userId = '';
  #hold: Hold | undefined;

  constructor(chaos: ChaosFixture) {
    this.chaos = chaos;
  }

  /** Creates the trigger that holds claims, a user, and the workers. */
  async prepare(): Promise<void> {
    const { chaos } = this;
    await chaos.query((sql) => sql`create table test_held_claims (job uuid, kind text)`);
    await chaos.query((sql) =>
      sql.unsafe(`
      create function test_hold_claim() returns trigger language plpgsql security definer as $$
      begin
        if exists (select from public.test_held_claims h where h.job = new.job_id and h.kind = new.kind) then
          perform pg_advisory_xact_lock(${CLAIM_LOCK});
        end if;
        return new;
      end $$`),
    );
    await chaos.query(
      (sql) => sql`
      create trigger test_hold_claim before update on mashup.tasks
      for each row when (new.state = 'running' and old.state in ('ready', 'waiting')) execute function test_hold_claim()`,
    );
    this.userId = await chaos.addUser();
    await chaos.addWorker();
    await chaos.addWorker();
  }

  get workers(): readonly ChaosWorker[] {
    return this.chaos.workers;
  }

  /** Holds the next call of a kind for the first song of a job. `reached` resolves with the call; `release` lets it continue. */
  holdCall(kind: TaskKind, jobName: string, at: CallMoment): { reached: Promise<void>; release: () => void } {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#hold = {
      service: SERVICE_OF[kind],
      songId: `${jobName}-0`,
      at,
      reached: () => reached.resolve(),
      released: released.promise,
    };
    return { reached: reached.promise, release: () => released.resolve() };
  }

  async holdIfWanted(service: ServiceName, moment: CallMoment, songId: string): Promise<void> {
    const hold = this.#hold;
    if (hold?.service !== service || hold.at !== moment || hold.songId !== songId) return;
    this.#hold = undefined;
    hold.reached();
    await hold.released;
  }

  /** Holds the next claim of a kind for a job in its transaction. `untilHeld` resolves when it waits. */
  async holdClaim(jobId: string, kind: TaskKind): Promise<{ untilHeld(): Promise<void>; release(): Promise<void> }> {
    const connection = this.chaos.openConnection();
    await connection`insert into test_held_claims values (${jobId}, ${kind})`;
    await connection`select pg_advisory_lock(${CLAIM_LOCK})`;
    return {
      untilHeld: () =>
        this.untilRow(
          'a claim waits for the lock',
          (sql) =>
            sql`select from pg_stat_activity where wait_event = 'advisory' and query ~ 'claim_task|finish_task_and_claim'`,
        ),
      release: async () => {
        await connection`delete from test_held_claims`;
        await connection.end();
      },
    };
  }

  /** Resolves when a query returns a row. */
  async untilRow(what: string, query: (sql: postgres.Sql) => Promise<readonly unknown[]>): Promise<void> {
    await this.chaos.until(what, async () => (await this.chaos.query(query)).length > 0);
  }

  /** Releases the job, which was submitted in a pause so that the hold existed first. */
  async startJob(jobId: string): Promise<void> {
    await this.chaos.query((sql) => sql`select mashup.resume('job', ${jobId})`);
  }

  /** Returns the running task of a kind. Where each song has one, that of the first song unless `ofAnySong`. */
  async runningTask(jobId: string, kind: TaskKind, ofAnySong = false): Promise<TaskRow> {
    const song = !ofAnySong && (kind === 'analyze' || kind === 'separate') ? '%-0' : '%';
    const [task] = await this.chaos.query(
      (sql) => sql<TaskRow[]>`
      select id, state, worker_id, started_at, claim from mashup.tasks
      where job_id = ${jobId} and kind = ${kind} and state = 'running' and coalesce(song_id, '') like ${song}`,
    );
    assert.ok(task, `a ${kind} task runs`);
    return task;
  }

  /** Kills the worker of a task. Returns the time. */
  async killWorkerOf({ worker_id }: TaskRow): Promise<number> {
    const victim = this.workers.find((worker) => worker.id === worker_id);
    assert.ok(victim, 'the worker is known');
    const at = Date.now();
    victim.process.kill('SIGKILL');
    await victim.exited;
    this.chaos.removeWorker(victim);
    return at;
  }

  /** Waits until a task has started under another claim. Returns the seconds since the kill. */
  async untilRestarted(task: TaskRow, killedAt: number): Promise<number> {
    let started = 0;
    await this.chaos.until(`task ${task.id} runs again`, async () => {
      const [row] = await this.chaos.query(
        (sql) => sql<TaskRow[]>`
        select id, state, worker_id, started_at, claim from mashup.tasks where id = ${task.id}`,
      );
      started = row?.started_at.getTime() ?? 0;
      return row !== undefined && row.claim !== task.claim && started > task.started_at.getTime();
    });
    return (started - killedAt) / 1000;
  }
}
