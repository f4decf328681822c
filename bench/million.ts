/**
 * Full tables: hand-off, transitions, scheduling, sweep and reconciliation on an empty database, and then with BENCH_FINISHED
 * (1,000,000) finished jobs and BENCH_WAITING (10,000) jobs that wait for a slot. Hand-off is measured in a closed loop of ten
 * running jobs, where the next is admitted when one ends: on the full tables the waiting ones.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { measureClosedLoop, openLimits, uploaders } from './handoff.ts';
import type { Handoff } from './handoff.ts';
import { percentile, printTable } from './table.ts';
import { measureTransitions } from './transitions.ts';
import type { Transitions } from './transitions.ts';
import { startBenchFixture, type BenchFixture } from './bench-fixture.ts';

const FINISHED = Number(process.env['BENCH_FINISHED'] ?? 1_000_000);
const WAITING = Number(process.env['BENCH_WAITING'] ?? 10_000);
const JOBS = Number(process.env['BENCH_JOBS'] ?? 60);
const ROUNDS = 40;
const CONCURRENCY = 10;
/** Largest acceptable ratio of full to empty tables. */
const LIMIT = 1.3;

interface Round {
  durable: Transitions;
  not_durable: Transitions;
  sweep_p50_ms: number;
  sweep_with_reconcile_p50_ms: number;
  handoff: Handoff;
}

/** Time of one sweep, without and with reconciliation and queue positions, in ms. */
async function measureSweep({ sql }: BenchFixture): Promise<[number, number]> {
  const plain: number[] = [];
  const full: number[] = [];
  await sql.begin(async (tx) => {
    // One session, so that its statements are planned.
    for (let n = 0; n < (ROUNDS + 4) * 2; n++) {
      const due = n >= ROUNDS + 4;
      await tx`update mashup.maintenance_runs set done_at = case when name = 'reconcile' and ${due} then '-infinity' else mashup.now() end`;
      const start = performance.now();
      await tx`select mashup.sweep()`;
      if (n % (ROUNDS + 4) >= 4) (due ? full : plain).push(performance.now() - start);
    }
    await tx`update mashup.maintenance_runs set done_at = '-infinity'`;
  });
  return [percentile(plain, 0.5), percentile(full, 0.5)];
}

async function measure(fixture: BenchFixture, isFull: boolean): Promise<Round> {
  const durable = await measureTransitions(fixture, true);
  const not_durable = await measureTransitions(fixture, false);
  const [sweep_p50_ms, sweep_with_reconcile_p50_ms] = await measureSweep(fixture);
  await fixture.startWorker(CONCURRENCY, 'empty');
  const users = (count: number) => uploaders(fixture, isFull ? 0 : count, 'rows');
  // Warm-up of the sessions.
  await measureClosedLoop(fixture, CONCURRENCY, CONCURRENCY, await users(CONCURRENCY * 3));
  await fixture.sql`update public.mashup_jobs set stage = 'cancelled' where stage = 'queued' and not ${isFull}`;
  const handoff = await measureClosedLoop(fixture, CONCURRENCY, JOBS, await users(JOBS + CONCURRENCY * 2));
  await fixture.sql`update public.mashup_jobs set stage = 'cancelled' where stage = 'queued' and not ${isFull}`;
  await fixture.stopWorkers();
  return { durable, not_durable, sweep_p50_ms, sweep_with_reconcile_p50_ms, handoff };
}

/** Fills the tables. Returns the seconds that it took. */
async function fill(fixture: BenchFixture): Promise<number> {
  const start = performance.now();
  const admin = postgres(fixture.superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await admin`set session_replication_role = replica`;
    await admin`set synchronous_commit = off`;
    await admin.unsafe(await readFile(join(import.meta.dirname, 'fill.sql'), 'utf8'));
    await admin`select pg_temp.fill(${FINISHED}, ${WAITING})`;
    await admin`vacuum analyze`;
    // Writes of the filling are not measured.
    await admin`checkpoint`;
  } finally {
    await admin.end();
  }
  return (performance.now() - start) / 1000;
}

/** Prints empty and full tables side by side. */
function printComparison(empty: Round, full: Round, fillSec: number): void {
  const rows = (
    [
      ['replay, backend CPU ms', ({ not_durable }) => not_durable.replay_cpu_ms],
      ['replay p50 ms (not flushed)', ({ not_durable }) => not_durable.replay_p50_ms],
      ['replay of three tasks p50 ms (not flushed)', ({ not_durable }) => not_durable.replay_of_three_p50_ms],
      ['replay p50 ms (flushed)', ({ durable }) => durable.replay_p50_ms],
      ['task (claim and finish) p50 ms (not flushed)', ({ not_durable }) => not_durable.task_p50_ms],
      ['schedule_all p50 ms', ({ not_durable }) => not_durable.schedule_p50_ms],
      ['sweep p50 ms', (round) => round.sweep_p50_ms],
      ['sweep with reconcile p50 ms', (round) => round.sweep_with_reconcile_p50_ms],
      ['hand-off p50 ms', ({ handoff }) => handoff.p50_ms],
      ['hand-off p99 ms', ({ handoff }) => handoff.p99_ms],
      ['s per job at capacity', ({ handoff }) => 1 / handoff.jobs_per_sec_offered],
    ] satisfies [string, (round: Round) => number][]
  ).map(([what, of]) => ({
    what,
    empty: of(empty),
    full: of(full),
    factor: of(full) / of(empty),
    'within limit': of(full) / of(empty) <= LIMIT ? 'yes' : 'no',
  }));
  printTable(
    `Empty, and with ${FINISHED} finished and ${WAITING} waiting jobs (created in ${fillSec.toFixed(0)} s); limit: factor ${LIMIT}`,
    rows,
  );
}

/** Prints the rates of transitions. */
function printTransitions(empty: Round, full: Round): void {
  printTable(
    'Transitions per second on one connection, as a ratio to a bare update',
    Object.entries({ empty, full }).flatMap(([tables, { durable, not_durable }]) =>
      Object.entries({ 'flushed at commit': durable, 'not flushed': not_durable }).map(([commit, measured]) => ({
        tables: `${tables}, ${commit}`,
        'bare/s': measured.bare_per_sec,
        'replays/s': measured.replays_per_sec,
        ratio: measured.replay_ratio,
        'bare CPU ms': measured.bare_cpu_ms,
        'replay CPU ms': measured.replay_cpu_ms,
        'CPU ratio': measured.bare_cpu_ms / measured.replay_cpu_ms,
        'tasks/s': measured.tasks_per_sec,
      })),
    ),
  );
}

/** Measures and prints the empty and the full database. */
export async function benchMillion() {
  const fixture = await startBenchFixture();
  try {
    await openLimits(fixture);
    await fixture.sql`update mashup.settings set value = '100000' where name = 'job_retention_days'`;
    const empty = await measure(fixture, false);
    const fill_sec = await fill(fixture);
    const full = await measure(fixture, true);
    printComparison(empty, full, fill_sec);
    printTransitions(empty, full);
    return { finished: FINISHED, waiting: WAITING, fill_sec, empty, full };
  } finally {
    await fixture.close();
  }
}
