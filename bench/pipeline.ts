/**
 * The engine without the music: stage hand-off and jobs a second, beside Graphile Worker alone with as many tasks.
 *
 * Hand-off is the time from the transaction that finishes a stage's last task to the transaction that claims the next
 * stage's first: both commits, the wake-up and the claim are in it.
 */
import { Logger, run, type Task } from 'graphile-worker';
import { startWorld, type World } from './world.ts';
import { percentile, printTable } from './table.ts';

const JOBS = 120;
const PACED_JOBS = 100;
const PACED_PER_SEC = 20;
const CONCURRENCY = 10;
/** analyze twice, separate twice, score, plan, render. */
const TASKS_PER_JOB = 7;

export interface PipelineResult {
  handoff: { jobs_per_sec_offered: number; samples: number; p50_ms: number; p99_ms: number };
  jobs_per_sec: number;
  bare_jobs_per_sec: number;
  ratio: number;
}

async function openLimits(world: World): Promise<void> {
  await world.sql`update mashup.settings set value = '1000' where name in ('max_running_jobs', 'max_queued_jobs_per_user', 'max_submits_per_minute')`;
  await world.sql`update mashup.settings set value = '10' where name = 'max_running_jobs_per_user'`;
  await world.sql`update mashup.settings set value = '{"analysis": 100, "scoring": 100, "orchestrator": 100, "separation": 100, "processing": 100}' where name = 'service_limits'`;
}

async function untilEnded(world: World, ids: string[]): Promise<void> {
  for (;;) {
    const [row] = await world.sql`select count(*)::int as live, count(*) filter (where stage = 'failed')::int as failed,
      min(error_message) as why from mashup_jobs where id = any(${ids}) and stage not in ('complete')`;
    if (row?.failed > 0) throw new Error(`A bench job failed: ${row?.why}`);
    if (row?.live === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Jobs a second with everything submitted at once, first submit to last completion. */
async function measureThroughput(world: World): Promise<number> {
  const uploaders = [];
  for (let i = 0; i < JOBS; i++) uploaders.push(await world.uploader());
  const start = performance.now();
  const ids = await Promise.all(uploaders.map((uploader) => world.submit(uploader)));
  await untilEnded(world, ids);
  return JOBS / ((performance.now() - start) / 1000);
}

/** Hand-off at a steady pace. */
async function measureHandoff(world: World): Promise<PipelineResult['handoff']> {
  const uploaders = [];
  for (let i = 0; i < PACED_JOBS; i++) uploaders.push(await world.uploader());
  const submitted: Promise<string>[] = [];
  const start = performance.now();
  for (const [i, uploader] of uploaders.entries()) {
    const due = start + (i * 1000) / PACED_PER_SEC;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    submitted.push(world.submit(uploader));
  }
  const ids = await Promise.all(submitted);
  await untilEnded(world, ids);
  const rows = await world.sql<{ ms: number }[]>`
    with t as (select job_id, kind, started_at, finished_at from mashup.tasks where job_id = any(${ids})),
    j as (select job_id, max(finished_at) filter (where kind = 'analyze') as analyzed, max(started_at) filter (where kind = 'score') as score_from,
      max(finished_at) filter (where kind = 'score') as scored, max(started_at) filter (where kind = 'plan') as plan_from,
      greatest(max(finished_at) filter (where kind = 'plan'), max(finished_at) filter (where kind = 'separate')) as planned,
      max(started_at) filter (where kind = 'render') as render_from from t group by job_id)
    select extract(epoch from h.d)::float8 * 1000 as ms from j, lateral (values (score_from - analyzed), (plan_from - scored), (render_from - planned)) as h (d)`;
  const sample = rows.map((row) => row.ms);
  return {
    jobs_per_sec_offered: PACED_PER_SEC,
    samples: sample.length,
    p50_ms: percentile(sample, 0.5),
    p99_ms: percentile(sample, 0.99),
  };
}

/** Graphile Worker alone: jobs of as many tasks, each adding the next, on the same Postgres with the same concurrency. */
async function measureBare(world: World): Promise<number> {
  let ended = 0;
  let done: () => void = () => {};
  const all = new Promise<void>((resolve) => (done = resolve));
  const step: Task = async (payload, helpers) => {
    const { left } = payload as { left: number };
    if (left > 1) await helpers.addJob('bare_step', { left: left - 1 });
    else if (++ended === JOBS) done();
  };
  const runner = await run({
    connectionString: world.url,
    concurrency: CONCURRENCY,
    noHandleSignals: true,
    taskList: { bare_step: step },
    logger: new Logger(() => () => {}),
  });
  const start = performance.now();
  await Promise.all(Array.from({ length: JOBS }, () => runner.addJob('bare_step', { left: TASKS_PER_JOB })));
  await all;
  const seconds = (performance.now() - start) / 1000;
  await runner.stop();
  return JOBS / seconds;
}

export async function benchPipeline(): Promise<PipelineResult> {
  const world = await startWorld();
  try {
    await openLimits(world);
    const bare = await measureBare(world);
    await world.startWorker(CONCURRENCY);
    const jobs = await measureThroughput(world);
    const handoff = await measureHandoff(world);
    const result = { handoff, jobs_per_sec: jobs, bare_jobs_per_sec: bare, ratio: jobs / bare };
    printTable(`Stage hand-off at ${PACED_PER_SEC} jobs/s, services that answer at once`, [handoff]);
    printTable(`Jobs of ${TASKS_PER_JOB} tasks, one worker, concurrency ${CONCURRENCY}`, [
      { engine: 'mashup-engine (states, history, Storage, HTTP)', 'jobs/s': jobs },
      { engine: 'Graphile Worker alone (empty tasks)', 'jobs/s': bare },
      { engine: 'ratio', 'jobs/s': jobs / bare },
    ]);
    return result;
  } finally {
    await world.close();
  }
}
