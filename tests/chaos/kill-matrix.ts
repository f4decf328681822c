/**
 * SIGKILL of a worker, for each kind of task at each moment that matters. The moment is held, not slept for: the service
 * keeps the call open, or a lock on the job's row keeps the claim or the finish from being made.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TaskKind } from '../../schema/database.ts';
import type { ServiceName } from '../../schema.ts';
import { judgeJobs } from './assertions.ts';
import { startChaosWorld, until } from './chaos-fixture.ts';
import type { ChaosWorker } from './chaos-fixture.ts';

export const MOMENTS = [
  'before the call',
  'during the call',
  'after the call and before the commit',
  'after the commit',
] as const;
export type Moment = (typeof MOMENTS)[number];

const SERVICE_OF: Record<TaskKind, ServiceName> = {
  analyze: 'analysis',
  score: 'scoring',
  plan: 'orchestrator',
  separate: 'separation',
  render: 'processing',
};
/** The advisory lock that a held claim waits for. */
const GATE = 5430004;
/** A killed worker's task is to run elsewhere within this. */
const TARGET_SEC = 5;

/** Where calls of one service are held: told that one has come, it waits until it is let go. */
interface Hold {
  service: ServiceName;
  songId: string;
  at: 'asked' | 'answered';
  reached: () => void;
  released: Promise<void>;
}
let hold: Hold | undefined;

const world = await startChaosWorld({
  settings: { restart_grace_sec: '0', max_submits_per_minute: '1000', max_queued_jobs_per_user: '1000' },
  async onCall(service, moment, songId) {
    const held = hold;
    if (held?.service !== service || held.at !== moment || songId !== `${held.songId}-0`) return;
    hold = undefined;
    held.reached();
    await held.released;
  },
});
after(() => world.close());
await world.ask((sql) => sql`create table test_gate (job uuid, kind text)`);
await world.ask(
  (sql) => sql`
  create function test_wait() returns trigger language plpgsql security definer as $$
  begin
    if exists (select from public.test_gate g where g.job = new.job_id and g.kind = new.kind) then
      perform pg_advisory_xact_lock(5430004);
    end if;
    return new;
  end $$`,
);
await world.ask(
  (sql) => sql`
  create trigger test_wait before update on mashup.tasks for each row when (new.state = 'running' and old.state = 'ready')
  execute function test_wait()`,
);
const userId = await world.addUser();
const [first, second] = [await world.addWorker(), await world.addWorker()];
let workers: ChaosWorker[] = [first, second];
const took: number[] = [];

/** Holds the next call of a kind for a job; `reached` resolves with it, `release` lets it go. */
function holdCall(kind: TaskKind, songId: string, at: Hold['at']): { reached: Promise<void>; release: () => void } {
  let release = (): void => {};
  let reached = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  hold = { service: SERVICE_OF[kind], songId, at, reached, released };
  return { reached: isReached, release };
}

interface TaskRow {
  id: string;
  state: string;
  worker_id: string | null;
  started_at: Date;
  claim: string | null;
}

/** The running task of a kind; where each song has one, that of the first song unless `ofAnySong`. */
async function runningTask(jobId: string, kind: TaskKind, ofAnySong = false): Promise<TaskRow> {
  const song = !ofAnySong && (kind === 'analyze' || kind === 'separate') ? '%-0' : '%';
  const [task] = await world.ask(
    (sql) => sql<TaskRow[]>`
    select id, state, worker_id, started_at, claim from mashup.tasks
    where job_id = ${jobId} and kind = ${kind} and state = 'running' and coalesce(song_id, '') like ${song}`,
  );
  assert.ok(task, `a ${kind} task runs`);
  return task;
}

/** Kills the worker and puts another in its place; answers when it died. */
async function kill(workerId: string): Promise<number> {
  const victim = workers.find((worker) => worker.id === workerId);
  assert.ok(victim, 'the worker is known');
  const at = Date.now();
  victim.process.kill('SIGKILL');
  await victim.exited;
  workers = workers.filter((worker) => worker !== victim);
  return at;
}

/** Waits until the task has started under another claim; answers seconds since the kill. */
async function recovered(task: TaskRow, killedAt: number): Promise<number> {
  let started = 0;
  await until(`task ${task.id} runs again`, async () => {
    const [row] = await world.ask(
      (sql) => sql<TaskRow[]>`
      select id, state, worker_id, started_at, claim from mashup.tasks where id = ${task.id}`,
    );
    started = row?.started_at.getTime() ?? 0;
    return row !== undefined && row.claim !== task.claim && started > task.started_at.getTime();
  });
  return (started - killedAt) / 1000;
}

/** Brings a job to the moment and kills the worker there. Answers the seconds until its task ran again, if it had to. */
async function killAt(kind: TaskKind, moment: Moment, name: string, jobId: string): Promise<number | undefined> {
  if (moment === 'after the commit') {
    // The commit is seen by its row; what follows it in the worker is cut off.
    const { reached, release } = holdCall(kind, name, 'answered');
    await submitted(jobId);
    await reached;
    const task = await runningTask(jobId, kind);
    release();
    await until('the task is done', async () => {
      const [row] = await world.ask(
        (sql) => sql<{ state: string }[]>`select state from mashup.tasks where id = ${task.id}`,
      );
      return row?.state === 'done';
    });
    await kill(task.worker_id ?? '');
    return undefined;
  }
  if (moment === 'during the call') {
    const { reached, release } = holdCall(kind, name, 'asked');
    await submitted(jobId);
    await reached;
    const task = await runningTask(jobId, kind);
    const at = await kill(task.worker_id ?? '');
    release();
    return recovered(task, at);
  }
  if (moment === 'before the call') {
    // The claim is held in its transaction; by the time it commits every worker is stopped and cannot read the answer.
    const gate = world.open();
    await gate`insert into test_gate values (${jobId}, ${kind})`;
    await gate`select pg_advisory_lock(${GATE})`;
    await submitted(jobId);
    await until('the claim waits', async () => {
      const [row] = await world.ask(
        (sql) =>
          sql<
            { n: number }[]
          >`select count(*)::int as n from pg_stat_activity where wait_event = 'advisory' and query like '%claim_task%'`,
      );
      return (row?.n ?? 0) > 0;
    });
    for (const worker of workers) worker.process.kill('SIGSTOP');
    await gate`delete from test_gate`;
    await gate.end();
    await until('the claim is made', async () => {
      const rows = await world.ask(
        (sql) => sql`select from mashup.tasks where job_id = ${jobId} and kind = ${kind} and state = 'running'`,
      );
      return rows.length > 0;
    });
    // Of two songs either may have come to its claim before the workers were stopped.
    const task = await runningTask(jobId, kind, true);
    const at = await kill(task.worker_id ?? '');
    for (const worker of workers) worker.process.kill('SIGCONT');
    return recovered(task, at);
  }
  // The answer has come, and the finish waits for the job's row, which is locked here.
  const { reached, release } = holdCall(kind, name, 'answered');
  await submitted(jobId);
  await reached;
  const task = await runningTask(jobId, kind);
  // What else the job runs is done first, so that the finish that waits is the one that is meant.
  await until('nothing else of the job runs', async () => {
    const rows = await world.ask(
      (sql) => sql`select from mashup.tasks where job_id = ${jobId} and state in ('ready', 'running')`,
    );
    return rows.length === 1;
  });
  const other = world.open();
  let at = 0;
  await other.begin(async (tx) => {
    await tx`select from mashup_jobs where id = ${jobId} for update`;
    release();
    await until('the finish waits', async () => {
      const [row] = await world.ask(
        (sql) => sql<{ n: number }[]>`
        select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%finish_task%'`,
      );
      return (row?.n ?? 0) > 0;
    });
    at = await kill(task.worker_id ?? '');
    // A statement goes on without its client: it is ended as the server would on its next write to it.
    await world.ask(
      (sql) => sql`
      select pg_terminate_backend(pid, 2000) from pg_stat_activity where wait_event_type = 'Lock' and query like '%finish_task%'`,
    );
  });
  await other.end();
  return recovered(task, at);
}

/** Lets the job go: it was submitted while everything was paused, so that the hold was there first. */
async function submitted(jobId: string): Promise<void> {
  await world.ask((sql) => sql`select mashup.resume('job', ${jobId})`);
}

/** Registers a test for each cell, and one that reports. */
export function testCells(cells: readonly { kind: TaskKind; moment: Moment }[]): void {
  for (const { kind, moment } of cells) {
    test(`a worker killed in ${kind} ${moment} loses nothing and doubles nothing`, async () => {
      const name = `${kind}-${MOMENTS.indexOf(moment)}`;
      const paths = [await world.upload(userId, `${name}-a`), await world.upload(userId, `${name}-b`)];
      await world.ask((sql) => sql`select mashup.pause('user', ${userId})`);
      const jobId = await world.submit(userId, name, paths);
      await world.ask((sql) => sql`select mashup.pause('job', ${jobId})`);
      await world.ask((sql) => sql`select mashup.resume('user', ${userId})`);
      const seconds = await killAt(kind, moment, name, jobId);
      if (seconds !== undefined) {
        took.push(seconds);
        assert.ok(seconds < TARGET_SEC, `it ran again after ${seconds} s`);
      }
      const spare = world.addWorker();
      await until(
        async () =>
          `the job ends: ${JSON.stringify(await world.ask((sql) => sql`select stage, waiting_on, error_code from mashup_jobs where id = ${jobId}`))}`,
        async () => {
          const [row] = await world.ask(
            (sql) => sql<{ n: number }[]>`
            select count(*)::int as n from mashup_jobs where id = ${jobId} and status <> 'processing'`,
          );
          return row?.n === 1;
        },
      );
      workers.push(await spare);
      const faults = (await judgeJobs(world, [{ id: jobId, doom: 'fine' }], new Set())).filter((fault) =>
        fault.includes(jobId),
      );
      assert.deepEqual(faults, []);
      const [crashes] = await world.ask(
        (sql) => sql<{ n: number }[]>`
        select sum(crashes)::int as n from mashup.tasks where job_id = ${jobId} and kind = ${kind}`,
      );
      if (moment !== 'after the commit') assert.ok((crashes?.n ?? 0) >= 1, 'the task was taken from the dead worker');
    });
  }

  test('recovery times of the matrix', () => {
    const sorted = took.toSorted((a, b) => a - b);
    console.log(`  ${took.length} kills: p50 ${sorted[Math.floor(took.length / 2)]} s, max ${sorted.at(-1)} s`);
    assert.equal(took.length, cells.filter(({ moment }) => moment !== 'after the commit').length);
  });
}
