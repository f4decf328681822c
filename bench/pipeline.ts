/**
 * The engine without audio: stage hand-off, jobs per second and the cost of a job in the database, compared with Graphile
 * Worker alone with as many tasks. Measured twice: with the complete worker (Storage through the gateway, HTTP, services that
 * respond at once), and with handlers that return at once, which measures the state machine alone.
 */
import { measureBare, TASKS_PER_JOB } from './bare-queue.ts';
import { measureCosts, measureHandoff, measureIdle, measureThroughput, openLimits, uploaders } from './handoff.ts';
import type { Costs, Handoff } from './handoff.ts';
import { startBenchFixture, type BenchFixture } from './bench-fixture.ts';
import { printTable } from './table.ts';

const JOBS = Number(process.env['BENCH_JOBS'] ?? 100);
const PACED_PER_SEC = 20;
const CONCURRENCY = 10;
/** Share of the measured capacity at which no queue builds up. 20 jobs/s exceed what Storage on this machine can do. */
const EASY_SHARE = 0.5;

interface Measured {
  jobs_per_sec: number;
  handoff: Handoff;
  handoff_at_half_capacity: Handoff;
  per_job: Costs;
}

async function measure(fixture: BenchFixture, kind: 'worker' | 'empty'): Promise<Measured> {
  const bytes = kind === 'worker' ? 'bytes' : 'rows';
  await fixture.startWorker(CONCURRENCY, kind);
  // Warm-up: sessions plan each statement once.
  await measureThroughput(fixture, await uploaders(fixture, CONCURRENCY * 2, bytes));
  const users = await uploaders(fixture, JOBS, bytes);
  let jobs_per_sec = 0;
  const idle = await measureIdle(fixture);
  const per_job = await measureCosts(fixture, JOBS, idle, async () => {
    jobs_per_sec = await measureThroughput(fixture, users);
  });
  const handoff = await measureHandoff(fixture, await uploaders(fixture, JOBS, bytes), PACED_PER_SEC);
  const easy = Math.min(PACED_PER_SEC, jobs_per_sec * EASY_SHARE);
  const handoff_at_half_capacity = await measureHandoff(
    fixture,
    await uploaders(fixture, Math.ceil(JOBS / 2), bytes),
    easy,
  );
  await fixture.stopWorkers();
  return { jobs_per_sec, handoff, handoff_at_half_capacity, per_job };
}

/** Measures and prints hand-off, throughput and costs. */
export async function benchPipeline() {
  const fixture = await startBenchFixture();
  try {
    await openLimits(fixture);
    const bare = await measureBare(fixture.url, JOBS, CONCURRENCY);
    const empty = await measure(fixture, 'empty');
    const worker = await measure(fixture, 'worker');
    const kinds = { 'state machine (handlers return at once)': empty, 'with Storage and HTTP': worker };
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
    return { state_machine: empty, with_storage: worker, bare_jobs_per_sec: bare };
  } finally {
    await fixture.close();
  }
}
