/**
 * The same again with the tables full: hand-off, transitions, release, sweep and reconcile on an empty database, and then with
 * BENCH_FINISHED (1,000,000) finished jobs and BENCH_WAITING (10,000) that wait for a slot. Hand-off is measured in a closed
 * loop of ten running jobs, where the next is admitted when one ends: on the full tables those that wait there.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { measureClosedLoop, openLimits, uploaders } from './handoff.ts';
import type { Handoff } from './handoff.ts';
import { percentile, printTable } from './table.ts';
import { measureTransitions } from './transitions.ts';
import type { Transitions } from './transitions.ts';
import { startWorld, type World } from './bench-fixture.ts';

const FINISHED = Number(process.env['BENCH_FINISHED'] ?? 1_000_000);
const WAITING = Number(process.env['BENCH_WAITING'] ?? 10_000);
const JOBS = Number(process.env['BENCH_JOBS'] ?? 60);
const ROUNDS = 40;
const CONCURRENCY = 10;
/** What the full tables may cost at most. */
const LIMIT = 1.3;

interface Round {
  durable: Transitions;
  not_durable: Transitions;
  sweep_p50_ms: number;
  sweep_with_reconcile_p50_ms: number;
  handoff: Handoff;
}

/** One round of upkeep, without and with its reconcile and queue places, in ms. */
async function measureSweep({ sql }: World): Promise<[number, number]> {
  const plain: number[] = [];
  const full: number[] = [];
  await sql.begin(async (tx) => {
    // One session, so that it is measured with its plans made.
    for (let n = 0; n < (ROUNDS + 4) * 2; n++) {
      const due = n >= ROUNDS + 4;
      await tx`update mashup.maintenance_runs set done_at = case when name = 'reconcile' and ${due} then '-infinity' else 'infinity'::timestamptz end`;
      const start = performance.now();
      await tx`select mashup.sweep()`;
      if (n % (ROUNDS + 4) >= 4) (due ? full : plain).push(performance.now() - start);
    }
    await tx`update mashup.maintenance_runs set done_at = '-infinity'`;
  });
  return [percentile(plain, 0.5), percentile(full, 0.5)];
}

async function measure(world: World, isFull: boolean): Promise<Round> {
  const durable = await measureTransitions(world, true);
  const not_durable = await measureTransitions(world, false);
  const [sweep_p50_ms, sweep_with_reconcile_p50_ms] = await measureSweep(world);
  await world.startWorker(CONCURRENCY, 'hands');
  const users = (count: number) => uploaders(world, isFull ? 0 : count, 'rows');
  // The first ones warm the sessions.
  await measureClosedLoop(world, CONCURRENCY, CONCURRENCY, await users(CONCURRENCY * 3));
  await world.sql`update public.mashup_jobs set stage = 'cancelled' where stage = 'queued' and not ${isFull}`;
  const handoff = await measureClosedLoop(world, CONCURRENCY, JOBS, await users(JOBS + CONCURRENCY * 2));
  await world.sql`update public.mashup_jobs set stage = 'cancelled' where stage = 'queued' and not ${isFull}`;
  await world.stopWorkers();
  return { durable, not_durable, sweep_p50_ms, sweep_with_reconcile_p50_ms, handoff };
}

async function fill(world: World): Promise<number> {
  const start = performance.now();
  const admin = postgres(world.superuserUrl, { max: 1, onnotice: () => {} });
  try {
    await admin`set session_replication_role = replica`;
    await admin`set synchronous_commit = off`;
    await admin.unsafe(await readFile(join(import.meta.dirname, 'fill.sql'), 'utf8'));
    await admin`select pg_temp.fill(${FINISHED}, ${WAITING})`;
    await admin`vacuum analyze`;
    // What the filling left to be written is not to be measured.
    await admin`checkpoint`;
  } finally {
    await admin.end();
  }
  return (performance.now() - start) / 1000;
}

export async function benchMillion() {
  const world = await startWorld();
  try {
    await openLimits(world);
    await world.sql`update mashup.settings set value = '100000' where name = 'job_retention_days'`;
    const empty = await measure(world, false);
    const fill_sec = await fill(world);
    const full = await measure(world, true);
    const rows = (
      [
        ['replay, backend CPU ms', ({ not_durable }) => not_durable.replay_cpu_ms],
        ['replay p50 ms (not flushed)', ({ not_durable }) => not_durable.replay_p50_ms],
        ['replay of three tasks p50 ms (not flushed)', ({ not_durable }) => not_durable.replay_of_three_p50_ms],
        ['replay p50 ms (flushed)', ({ durable }) => durable.replay_p50_ms],
        ['task (claim and finish) p50 ms (not flushed)', ({ not_durable }) => not_durable.task_p50_ms],
        ['schedule_all p50 ms', ({ not_durable }) => not_durable.release_p50_ms],
        ['sweep p50 ms', (round) => round.sweep_p50_ms],
        ['sweep with reconcile p50 ms', (round) => round.sweep_with_reconcile_p50_ms],
        ['hand-off p50 ms', ({ handoff }) => handoff.p50_ms],
        ['hand-off p99 ms', ({ handoff }) => handoff.p99_ms],
        ['s a job at capacity', ({ handoff }) => 1 / handoff.jobs_per_sec_offered],
      ] satisfies [string, (round: Round) => number][]
    ).map(([what, of]) => ({
      what,
      empty: of(empty),
      full: of(full),
      times: of(full) / of(empty),
      'within limit': of(full) / of(empty) <= LIMIT ? 'yes' : 'no',
    }));
    printTable(
      `Empty, and with ${FINISHED} finished and ${WAITING} waiting jobs (made in ${fill_sec.toFixed(0)} s); limit ${LIMIT} times`,
      rows,
    );
    printTable(
      'Transitions a second on one connection, as a ratio to a bare update',
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
    return { finished: FINISHED, waiting: WAITING, fill_sec, empty, full };
  } finally {
    await world.close();
  }
}
