/** Jobs through a pool of workers: jobs per second, time from one stage to the next, and cost in the database. */
import { percentile } from './table.ts';
import type { BenchFixture, Uploader } from './bench-fixture.ts';

export interface Handoff {
  jobs_per_sec_offered: number;
  /** Number of jobs over the time from the first submission to the last end; slightly below the offered rate if the engine keeps up. */
  jobs_per_sec_reached: number;
  samples: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
}

export interface Costs {
  commits: number;
  wal_kb: number;
  dead_tuples: number;
}

/** Raises the limits, so that all jobs may run at once. */
export async function openLimits({ sql }: BenchFixture): Promise<void> {
  await sql`update mashup.settings set value = '100000' where name in ('max_queued_jobs', 'max_queued_jobs_per_user', 'max_submits_per_minute')`;
  await sql`update mashup.settings set value = '1000' where name = 'max_running_jobs'`;
  await sql`update mashup.settings set value = '10' where name = 'max_running_jobs_per_user'`;
  await sql`update mashup.settings set value = '{"analysis": 100, "scoring": 100, "orchestrator": 100, "separation": 100, "processing": 100}' where name = 'service_limits'`;
}

/** Sets the number of jobs that may run at the same time. */
export async function setSlots({ sql }: BenchFixture, slots: number): Promise<void> {
  await sql`update mashup.settings set value = ${String(slots)} where name = 'max_running_jobs'`;
}

/** Creates users with two uploads each. */
export async function uploaders(fixture: BenchFixture, count: number, bytes: 'bytes' | 'rows'): Promise<Uploader[]> {
  const made: Uploader[] = [];
  for (let n = 0; n < count; n++) made.push(await fixture.uploader(bytes));
  return made;
}

async function untilEnded({ sql }: BenchFixture, ids: string[]): Promise<void> {
  for (;;) {
    const [row] = await sql`select count(*)::int as live, count(*) filter (where stage = 'failed')::int as failed,
      min(error_message) as why from public.mashup_jobs where id = any(${ids}) and stage not in ('complete')`;
    if (row?.failed > 0) throw new Error(`A job of the benchmark failed: ${row?.why}`);
    if (row?.live === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Jobs per second with all submitted at once, from the first submission to the last completion. */
export async function measureThroughput(fixture: BenchFixture, users: Uploader[]): Promise<number> {
  const start = performance.now();
  const ids = await Promise.all(users.map((uploader) => fixture.submit(uploader)));
  await untilEnded(fixture, ids);
  return users.length / ((performance.now() - start) / 1000);
}

/**
 * Hand-off at a constant rate, in ms: from the start of the transaction that finishes a stage's last task to the start of the
 * transaction that claims the next stage's first task. It includes the finish, its commit, the queue entry and the queue's
 * fetch.
 */
export async function measureHandoff(fixture: BenchFixture, users: Uploader[], perSec: number): Promise<Handoff> {
  const submitted: Promise<string>[] = [];
  const start = performance.now();
  for (const [n, uploader] of users.entries()) {
    const early = start + (n * 1000) / perSec - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    submitted.push(fixture.submit(uploader));
  }
  const ids = await Promise.all(submitted);
  await untilEnded(fixture, ids);
  const jobs_per_sec_reached = (ids.length * 1000) / (performance.now() - start);
  const sample = await handoffsOf(fixture, ids);
  return { jobs_per_sec_offered: perSec, jobs_per_sec_reached, ...spreadOf(sample) };
}

function spreadOf(sample: number[]): Omit<Handoff, 'jobs_per_sec_offered' | 'jobs_per_sec_reached'> {
  return {
    samples: sample.length,
    p50_ms: percentile(sample, 0.5),
    p95_ms: percentile(sample, 0.95),
    p99_ms: percentile(sample, 0.99),
  };
}

/** Hand-off and throughput of `jobs` jobs where the next starts when one ends: waiting jobs, or new ones of `users`. */
export async function measureClosedLoop(
  fixture: BenchFixture,
  slots: number,
  jobs: number,
  users: Uploader[],
): Promise<Handoff> {
  for (const uploader of users) await fixture.submit(uploader);
  const since = performance.now();
  const [begun] = await fixture.sql<{ at: Date }[]>`select clock_timestamp() as at`;
  if (!begun) throw new Error('no clock');
  await setSlots(fixture, slots);
  let ids: string[] = [];
  while (ids.length < jobs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const rows = await fixture.sql<{ id: string }[]>`
      select id from public.mashup_jobs where finished_at >= ${begun.at} and stage = 'complete' order by finished_at limit ${jobs}`;
    ids = rows.map(({ id }) => id);
  }
  const seconds = (performance.now() - since) / 1000;
  await setSlots(fixture, 0);
  for (let live = 1; live > 0;) {
    const [row] = await fixture.sql<{ live: number }[]>`
      select count(*)::int as live from public.mashup_jobs where stage not in ('complete', 'failed', 'cancelled') and admitted_at is not null`;
    live = row?.live ?? 0;
  }
  return {
    jobs_per_sec_offered: jobs / seconds,
    jobs_per_sec_reached: jobs / seconds,
    ...spreadOf(await handoffsOf(fixture, ids)),
  };
}

async function handoffsOf(fixture: BenchFixture, ids: string[]): Promise<number[]> {
  const rows = await fixture.sql<{ ms: number }[]>`
    with t as (select job_id, kind, started_at, finished_at from mashup.tasks where job_id = any(${ids})),
    j as (select job_id, max(finished_at) filter (where kind = 'analyze') as analyzed, max(started_at) filter (where kind = 'score') as score_from,
      max(finished_at) filter (where kind = 'score') as scored, max(started_at) filter (where kind = 'plan') as plan_from,
      greatest(max(finished_at) filter (where kind = 'plan'), max(finished_at) filter (where kind = 'separate')) as planned,
      max(started_at) filter (where kind = 'render') as render_from from t group by job_id)
    select extract(epoch from h.d)::float8 * 1000 as ms from j, lateral (values (score_from - analyzed), (plan_from - scored), (render_from - planned)) as h (d)`;
  return rows.map(({ ms }) => ms);
}

export interface Counters {
  commits: number;
  wal: number;
  dead: number;
}

/** Idle sessions report their counters after 10 s. */
const REPORT_MS = 11_000;

async function readCounters({ sql }: BenchFixture): Promise<Counters> {
  await new Promise((resolve) => setTimeout(resolve, REPORT_MS));
  const [row] = await sql<Counters[]>`
    select d.xact_commit::float8 as commits, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal,
      (select sum(n_tup_upd + n_tup_del)::float8 from pg_stat_user_tables) as dead
    from pg_stat_database d where d.datname = current_database()`;
  if (!row) throw new Error('no counters');
  return row;
}

/** What is counted while nothing is to be done, and the counters are read once: heartbeats, sweeps. */
export async function measureIdle(fixture: BenchFixture): Promise<Counters> {
  const before = await readCounters(fixture);
  return difference(await readCounters(fixture), before);
}

const difference = (a: Counters, b: Counters): Counters => ({
  commits: a.commits - b.commits,
  wal: a.wal - b.wal,
  dead: a.dead - b.dead,
});

/**
 * Cost of each of `jobs` jobs while `work` runs: commits of all sessions (heartbeats, sweeps and polls of the benchmark too), WAL,
 * dead row versions.
 * @param idle what is counted during the wait for the counters, see measureIdle
 */
export async function measureCosts(
  fixture: BenchFixture,
  jobs: number,
  idle: Counters,
  work: () => Promise<unknown>,
): Promise<Costs> {
  const before = await readCounters(fixture);
  await work();
  const { commits, wal, dead } = difference(difference(await readCounters(fixture), before), idle);
  return { commits: commits / jobs, wal_kb: wal / jobs / 1024, dead_tuples: dead / jobs };
}
