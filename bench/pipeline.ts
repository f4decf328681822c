/**
 * The engine without the music: stage hand-off, jobs a second and what a job costs the database, beside Graphile Worker alone
 * with as many tasks. Twice: with all that a worker does (real Storage through the gateway, HTTP, services that answer at
 * once), and with handlers that answer at once, which leaves the state machine.
 */
import { Logger, run, type Task } from 'graphile-worker';
import { measureCosts, measureHandoff, measureThroughput, openLimits, uploaders } from './handoff.ts';
import type { Costs, Handoff } from './handoff.ts';
import { startWorld, type World } from './bench-fixture.ts';
import { printTable } from './table.ts';

const JOBS = Number(process.env['BENCH_JOBS'] ?? 100);
const PACED_PER_SEC = 20;
const CONCURRENCY = 10;
/** Of its own capacity, so that nothing piles up: where 20 jobs/s are more than Storage on this machine can do. */
const EASY_SHARE = 0.5;
/** analyze twice, separate twice, score, plan, render. */
const TASKS_PER_JOB = 7;

interface Measured {
  jobs_per_sec: number;
  handoff: Handoff;
  handoff_at_half_capacity: Handoff;
  per_job: Costs;
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

async function measure(world: World, kind: 'worker' | 'hands'): Promise<Measured> {
  const bytes = kind === 'worker' ? 'bytes' : 'rows';
  await world.startWorker(CONCURRENCY, kind);
  // Sessions plan each statement once: what is measured is a worker that has run for a moment.
  await measureThroughput(world, await uploaders(world, CONCURRENCY * 2, bytes));
  const users = await uploaders(world, JOBS, bytes);
  let jobs_per_sec = 0;
  const per_job = await measureCosts(world, JOBS, async () => {
    jobs_per_sec = await measureThroughput(world, users);
  });
  const handoff = await measureHandoff(world, await uploaders(world, JOBS, bytes), PACED_PER_SEC);
  const easy = Math.min(PACED_PER_SEC, jobs_per_sec * EASY_SHARE);
  const handoff_at_half_capacity = await measureHandoff(
    world,
    await uploaders(world, Math.ceil(JOBS / 2), bytes),
    easy,
  );
  await world.stopWorkers();
  return { jobs_per_sec, handoff, handoff_at_half_capacity, per_job };
}

export async function benchPipeline() {
  const world = await startWorld();
  try {
    await openLimits(world);
    const bare = await measureBare(world);
    const hands = await measure(world, 'hands');
    const worker = await measure(world, 'worker');
    const kinds = { 'state machine (handlers answer at once)': hands, 'with Storage and HTTP': worker };
    printTable(
      'Stage hand-off, one worker process, concurrency 10',
      Object.entries(kinds).flatMap(([what, measured]) => [
        { what, ...measured.handoff },
        { what, ...measured.handoff_at_half_capacity },
      ]),
    );
    printTable(`Jobs of ${TASKS_PER_JOB} tasks`, [
      ...Object.entries(kinds).map(([what, { jobs_per_sec, per_job }]) => ({
        what,
        'jobs/s': jobs_per_sec,
        ...per_job,
      })),
      { what: 'Graphile Worker alone (empty tasks)', 'jobs/s': bare, commits: '', wal_kb: '', dead_tuples: '' },
    ]);
    return { state_machine: hands, with_storage: worker, bare_jobs_per_sec: bare };
  } finally {
    await world.close();
  }
}
