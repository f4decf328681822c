/**
 * Guarded transitions on one connection, as a ratio to a bare update of the same rows in the same run: an operator's replay
 * (judged, told in the history, old task dropped, new one made, released and queued by `add_job`), one that makes three tasks
 * (planning begins separation too), and a whole task (claimed, finished, job moved on). The bare update writes a copy of the table with the same columns, checks and indexes and no triggers.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import postgres from 'postgres';
import type { Claim } from '../worker/database/database-api.ts';
import { instantResult } from './empty-worker.ts';
import { setSlots } from './handoff.ts';
import { percentile } from './table.ts';
import type { World } from './bench-fixture.ts';

/** Rows that are moved in turn, and moves of each kind. */
const ROWS = 20;
const MOVES = Number(process.env['BENCH_MOVES'] ?? 400);
/** Each kind is measured in so many turns with the others, so that what else the machine does meets all alike. */
const TURNS = 4;
/** Clock ticks of the kernel, in ms. */
const TICK_MS = 10;

export interface Transitions {
  bare_per_sec: number;
  replays_per_sec: number;
  replay_ratio: number;
  /** By processor time of the session's backend: what the disk and other programs take is not in it. */
  replay_cpu_ms: number;
  bare_cpu_ms: number;
  tasks_per_sec: number;
  task_p50_ms: number;
  replay_p50_ms: number;
  /** A replay that drops three tasks and makes three. */
  replay_of_three_p50_ms: number;
  release_p50_ms: number;
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

/** Rows that a replay moves from a stage to the same one; their tasks are nobody's. Needs `openLimits`. */
export async function measureTransitions(world: World, durable: boolean): Promise<Transitions> {
  const sql = postgres(world.url, {
    max: 1,
    onnotice: () => {},
    connection: { synchronous_commit: durable ? 'on' : 'off' } as Record<string, string>,
  });
  try {
    const worker = randomUUID();
    const lockKey = Date.now();
    await sql`select pg_advisory_lock(${lockKey}::bigint)`;
    await sql`select mashup.register_worker(${worker}, ${userInfo().username}, 1, ${lockKey}::bigint, 'bench', 1, '{}', '{}')`;
    const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;

    async function finishNext(jobId: string): Promise<void> {
      const [task] = await sql<{ id: string; attempt: number }[]>`
        select id, attempt from mashup.tasks where job_id = ${jobId} and state = 'ready' order by priority, id limit 1`;
      if (!task) throw new Error('A bench job has nothing to do.');
      const [row] = await sql<
        { claim: Claim }[]
      >`select mashup.claim_task(${task.id}, ${task.attempt}, ${worker}) as claim`;
      if (!row) throw new Error('no claim');
      const result = sql.json(instantResult(row.claim) as Record<string, never>);
      await sql`select mashup.finish_task(${row.claim.task_id}, ${row.claim.claim}, ${result})`;
    }

    const samples = {
      bare: sampleOf(),
      replay: sampleOf(),
      replayOfThree: sampleOf(),
      task: sampleOf(),
      release: sampleOf(),
    };
    // They wait for less long than any other, and take every slot.
    await setSlots(world, 0);
    const planning: string[] = [];
    const rendering: string[] = [];
    for (let n = 0; n < ROWS * 2; n++)
      (n < ROWS ? planning : rendering).push(await world.submit(await world.uploader('rows')));
    await setSlots(world, ROWS * 2);
    for (const id of planning) while ((await stageOf(sql, id)) !== 'planning') await finishNext(id);
    for (const id of rendering) while ((await stageOf(sql, id)) !== 'rendering') await finishNext(id);
    await sql`drop table if exists bench_bare`;
    await sql`create table bench_bare (like public.mashup_jobs including all)`;
    await sql`insert into bench_bare select * from public.mashup_jobs where id = any (${rendering})`;

    const acts: Record<keyof typeof samples, { jobs: string[]; act: (id: string) => Promise<unknown> }> = {
      bare: {
        jobs: rendering,
        act: (id) =>
          sql`update bench_bare set stage = 'rendering', version = version + 1, updated_at = now() where id = ${id}`,
      },
      replay: {
        jobs: rendering,
        act: (id) => sql`update public.mashup_jobs set stage = 'rendering' where id = ${id}`,
      },
      replayOfThree: {
        jobs: planning,
        act: (id) => sql`update public.mashup_jobs set stage = 'planning' where id = ${id}`,
      },
      task: { jobs: planning, act: finishNext },
      release: { jobs: planning, act: () => sql`select mashup.schedule_all()` },
    };
    for (let turn = 0; turn <= TURNS; turn++) {
      for (const [name, { jobs, act }] of Object.entries(acts)) {
        // Two tasks of a job are finished, then it is back at planning.
        const count = name === 'task' ? ROWS : MOVES / TURNS;
        const cpu = cpuOf(backend?.pid ?? 0);
        const times: number[] = [];
        for (let n = 0; n < count; n++) {
          const start = performance.now();
          await act(jobs[n % ROWS] ?? '');
          times.push(performance.now() - start);
        }
        // The first turn warms the session: it plans each statement once.
        const sample = samples[name as keyof typeof samples];
        if (turn > 0) sample.times.push(...times);
        if (turn > 0) sample.cpu += cpuOf(backend?.pid ?? 0) - cpu;
        if (name === 'task') await sql`update public.mashup_jobs set stage = 'planning' where id = any (${planning})`;
      }
    }
    // Nothing of it stays to be worked on, late wake-ups included, and nobody takes their slots.
    await setSlots(world, 0);
    await sql`update public.mashup_jobs set stage = 'cancelled' where id = any (${[...planning, ...rendering]})`;
    await sql`delete from graphile_worker._private_jobs`;
    await sql`select mashup.deregister_worker(${worker})`;
    const { bare, replay, replayOfThree, task, release } = samples;
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
      release_p50_ms: percentile(release.times, 0.5),
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
