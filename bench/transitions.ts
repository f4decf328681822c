/**
 * Checked transitions on one connection, as a ratio to a bare update of the same rows in the same run:
 *
 * - replay: an operator's replay to rendering checks the transition, appends the event, drops the old task, and creates,
 *   schedules and enqueues a new one with `add_job`;
 * - replay of three: a replay to planning creates three tasks, because separation begins too;
 * - task: a claim and a finish, which advances the job;
 * - bare: an update of a copy of the table with the same columns, checks and indexes and no triggers.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import postgres from 'postgres';
import type { Claim } from '../worker/database/database-api.ts';
import { instantResult } from './empty-worker.ts';
import { setSlots } from './handoff.ts';
import { percentile } from './table.ts';
import type { BenchFixture } from './bench-fixture.ts';

/** Rows that change in turn, and changes of each kind. */
const ROWS = 20;
const MOVES = Number(process.env['BENCH_MOVES'] ?? 400);
/** The kinds alternate in this many turns, so that other load on the machine affects all of them. */
const TURNS = 4;
/** Clock ticks of the kernel, in ms. */
const TICK_MS = 10;

export interface Transitions {
  bare_per_sec: number;
  replays_per_sec: number;
  replay_ratio: number;
  /** Processor time of the session's backend, without the disk and other programs. */
  replay_cpu_ms: number;
  bare_cpu_ms: number;
  tasks_per_sec: number;
  task_p50_ms: number;
  replay_p50_ms: number;
  /** A replay that drops three tasks and creates three. */
  replay_of_three_p50_ms: number;
  schedule_p50_ms: number;
}

/** Processor time of a local process so far, in ms (proc(5), utime and stime). */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

interface Sample {
  times: number[];
  cpu: number;
}

const perSec = ({ times }: Sample): number => (times.length * 1000) / times.reduce((sum, ms) => sum + ms, 0);

/** A session that is registered as a worker, and the measured operations on it. */
interface BenchWorker {
  sql: postgres.Sql;
  id: string;
  /** Process id of the session's backend. */
  backend: number;
}

/** Jobs to measure on: half of them wait in planning, half in rendering. */
interface BenchJobs {
  planning: string[];
  rendering: string[];
}

type Kind = 'bare' | 'replay' | 'replayOfThree' | 'task' | 'schedule';

async function registerBenchWorker(sql: postgres.Sql): Promise<BenchWorker> {
  const id = randomUUID();
  const lockKey = Date.now();
  await sql`select pg_advisory_lock(${lockKey}::bigint)`;
  await sql`select mashup.register_worker(${id}, ${userInfo().username}, 1, ${lockKey}::bigint, 'bench', 1, '{}', '{}', mashup.protocol_version())`;
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return { sql, id, backend: row?.pid ?? 0 };
}

/** Claims and finishes the next task of a job. */
async function finishNext({ sql, id }: BenchWorker, jobId: string): Promise<void> {
  const [task] = await sql<{ id: string; attempt: number }[]>`
    select id, attempt from mashup.tasks where job_id = ${jobId} and state = 'ready' order by priority, id limit 1`;
  if (!task) throw new Error('A job of the benchmark has no ready task.');
  const [row] = await sql<{ claim: Claim }[]>`select mashup.claim_task(${task.id}, ${task.attempt}, ${id}) as claim`;
  if (!row) throw new Error('no claim');
  const result = sql.json(instantResult(row.claim) as Record<string, never>);
  await sql`select mashup.finish_task(${row.claim.task_id}, ${row.claim.claim}, ${result})`;
}

/** Submits the jobs and advances them. They are the newest users' and take every slot. */
async function prepareJobs(fixture: BenchFixture, worker: BenchWorker): Promise<BenchJobs> {
  const { sql } = worker;
  await setSlots(fixture, 0);
  const ids: string[] = [];
  for (let n = 0; n < ROWS * 2; n++) ids.push(await fixture.submit(await fixture.uploader('rows')));
  const [planning, rendering] = [ids.slice(0, ROWS), ids.slice(ROWS)];
  await setSlots(fixture, ROWS * 2);
  for (const id of planning) while ((await stageOf(sql, id)) !== 'planning') await finishNext(worker, id);
  for (const id of rendering) while ((await stageOf(sql, id)) !== 'rendering') await finishNext(worker, id);
  await sql`drop table if exists bench_bare`;
  await sql`create table bench_bare (like public.mashup_jobs including all)`;
  await sql`insert into bench_bare select * from public.mashup_jobs where id = any (${rendering})`;
  return { planning, rendering };
}

/** Runs the kinds in turn. The first turn is a warm-up: the session plans each statement once. */
async function sampleAll(worker: BenchWorker, { planning, rendering }: BenchJobs): Promise<Record<Kind, Sample>> {
  const { sql, backend } = worker;
  const run: Record<Kind, (n: number) => Promise<unknown>> = {
    bare: (n) =>
      sql`update bench_bare set stage = 'rendering', version = version + 1, updated_at = now() where id = ${rendering[n] ?? ''}`,
    replay: (n) => sql`update public.mashup_jobs set stage = 'rendering' where id = ${rendering[n] ?? ''}`,
    replayOfThree: (n) => sql`update public.mashup_jobs set stage = 'planning' where id = ${planning[n] ?? ''}`,
    task: (n) => finishNext(worker, planning[n] ?? ''),
    schedule: () => sql`select mashup.schedule_all()`,
  };
  const samples: Record<Kind, Sample> = {
    bare: sampleOf(),
    replay: sampleOf(),
    replayOfThree: sampleOf(),
    task: sampleOf(),
    schedule: sampleOf(),
  };
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const kind of Object.keys(run) as Kind[]) {
      // Two tasks of a job are finished, then it goes back to planning.
      const count = kind === 'task' ? ROWS : MOVES / TURNS;
      const cpu = cpuOf(backend);
      const times: number[] = [];
      for (let n = 0; n < count; n++) {
        const start = performance.now();
        await run[kind](n % ROWS);
        times.push(performance.now() - start);
      }
      if (turn > 0) samples[kind].times.push(...times);
      if (turn > 0) samples[kind].cpu += cpuOf(backend) - cpu;
      if (kind === 'task') await sql`update public.mashup_jobs set stage = 'planning' where id = any (${planning})`;
    }
  }
  return samples;
}

/** Ends the jobs, so that nothing of them remains in the queue, and deregisters the worker. */
async function clearUp(fixture: BenchFixture, { sql, id }: BenchWorker, jobs: BenchJobs): Promise<void> {
  await setSlots(fixture, 0);
  await sql`update public.mashup_jobs set stage = 'cancelled' where id = any (${[...jobs.planning, ...jobs.rendering]})`;
  await sql`delete from mashup_queue._private_jobs`;
  await sql`select mashup.deregister_worker(${id})`;
}

/**
 * Measures all kinds. Needs `openLimits`.
 * @param durable whether the session flushes its commits
 */
export async function measureTransitions(fixture: BenchFixture, durable: boolean): Promise<Transitions> {
  const sql = postgres(fixture.url, {
    max: 1,
    onnotice: () => {},
    connection: { synchronous_commit: durable ? 'on' : 'off' } as Record<string, string>,
  });
  try {
    const worker = await registerBenchWorker(sql);
    const jobs = await prepareJobs(fixture, worker);
    const { bare, replay, replayOfThree, task, schedule } = await sampleAll(worker, jobs);
    await clearUp(fixture, worker, jobs);
    return {
      bare_per_sec: perSec(bare),
      replays_per_sec: perSec(replay),
      replay_ratio: perSec(replay) / perSec(bare),
      replay_cpu_ms: replay.cpu / replay.times.length,
      bare_cpu_ms: bare.cpu / bare.times.length,
      tasks_per_sec: perSec(task),
      task_p50_ms: percentile(task.times, 0.5),
      replay_p50_ms: percentile(replay.times, 0.5),
      replay_of_three_p50_ms: percentile(replayOfThree.times, 0.5),
      schedule_p50_ms: percentile(schedule.times, 0.5),
    };
  } finally {
    await sql.end();
  }
}

const sampleOf = (): Sample => ({ times: [], cpu: 0 });

async function stageOf(sql: postgres.Sql, id: string): Promise<string> {
  const [row] = await sql<{ stage: string }[]>`select stage from public.mashup_jobs where id = ${id}`;
  return row?.stage ?? '';
}
