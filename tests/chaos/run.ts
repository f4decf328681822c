/**
 * npm run chaos [-- --jobs 1000 --workers 4 --seed N --json FILE]: jobs through a storm of faults, and what became of them.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { percentile, printTable } from '../../bench/table.ts';
import { doomOf } from './fault-plan.ts';
import type { Doom } from './fault-plan.ts';
import { random } from './random.ts';
import { makeStorm } from './fault-commands.ts';
import { judgeJobs, judgeLeaks, judgeStorage } from './assertions.ts';
import type { Submitted } from './assertions.ts';
import { startWatch } from './recovery-watch.ts';
import { startChaosWorld, until } from './chaos-fixture.ts';

const JOBS_PER_USER = 5;
/** Every so many jobs a user brings songs of an earlier one again, which the caches then answer. */
const SAME_SONGS_EVERY = 8;
/** Jobs that may wait or run at one time. */
const MAX_LIVE = 24;
/** Longest time that all may take once the storm is over. */
const SETTLE_MS = 240_000;

/** Short limits, so that what takes a lease or a pause in life takes seconds here. */
const SETTINGS: Record<string, string> = {
  lease_sec: '4',
  heartbeat_sec: '0.5',
  restart_grace_sec: '2',
  circuit_open_sec: '1',
  circuit_open_max_sec: '3',
  discard_after_sec: '8',
  replaced_stems_after_sec: '10',
  outbox_retry_sec: '3',
  max_running_jobs: '12',
  max_queued_jobs_per_user: '1000',
  max_submits_per_minute: '1000',
  service_limits: '{"analysis": 6, "scoring": 6, "orchestrator": 6, "separation": 6, "processing": 6}',
};

export interface ChaosOptions {
  jobs: number;
  workers: number;
  seed: number;
  /** Mean time between two blows. */
  everyMs: number;
  log?: (line: string) => void;
}

export interface ChaosReport {
  seed: number;
  jobs: number;
  seconds: number;
  /** Jobs by how they ended. */
  ended: Record<string, number>;
  /** Attempts and claims: what the jobs went through. */
  work: Record<string, number>;
  blows: Record<string, number>;
  serviceFaults: Record<string, number>;
  recovery: {
    loss: string;
    tasks: number;
    freed_p50_sec: number;
    freed_max_sec: number;
    started_p50_sec: number;
    started_p95_sec: number;
    started_max_sec: number;
  }[];
  /** What should not be; empty when all is well. */
  faults: string[];
}

/** Runs the storm over a world of its own. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { jobs, workers, seed, everyMs, log = () => {} } = options;
  const start = performance.now();
  const doomOfSong = (songId: string): Doom => doomOf(seed, Number(/^j(\d+)/.exec(songId)?.[1] ?? 0));
  let killHolder: (claim: string) => void = () => {};
  const world = await startChaosWorld({
    seed,
    doomOf: doomOfSong,
    onKiller: (claim) => killHolder(claim),
    settings: SETTINGS,
  });
  try {
    // More tries than in life: what the storm does on top of the seed's faults is not to fail a job.
    await world.ask(
      (sql) => sql`
      update mashup.task_kinds set max_attempts = 12, backoff_sec = 0.1, backoff_max_sec = 0.5, timeout_sec = 8, fallback_after_sec = fallback_after_sec / 4`,
    );
    await Promise.all(Array.from({ length: workers }, () => world.addWorker()));
    const watch = startWatch(world);
    const submitted: Submitted[] = [];
    const jobIds: string[] = [];
    const storm = makeStorm(world, watch, random(seed, 'storm'), jobIds, everyMs);
    killHolder = storm.killHolder;
    let isOver = false;
    const raging = storm.rage(() => isOver);
    // Awaited below; until then a blow that went wrong must not end the process.
    raging.catch(() => {});

    let userId = '';
    let songs: string[] = [];
    for (let index = 0; index < jobs; index++) {
      if (index % JOBS_PER_USER === 0) userId = await world.addUser();
      const doom = doomOf(seed, index);
      const isSame =
        index % SAME_SONGS_EVERY === SAME_SONGS_EVERY - 1 &&
        index % JOBS_PER_USER > 0 &&
        doom === 'fine' &&
        doomOf(seed, index - 1) === 'fine';
      const count = doom === 'bad_third' ? 3 : 2;
      if (!isSame)
        songs = await Promise.all(Array.from({ length: count }, (_, i) => world.upload(userId, `j${index}-${i}`)));
      const id = await world.submit(userId, `j${index}`, songs);
      submitted.push({ id, doom });
      jobIds.push(id);
      if (index % 10 === 9) log(`${index + 1} jobs submitted, ${Math.round((performance.now() - start) / 1000)} s`);
      await until('there is room for another job', async () => (await countLive()) < MAX_LIVE, SETTLE_MS);
    }
    isOver = true;
    await raging;
    log(`the storm is over, ${Math.round((performance.now() - start) / 1000)} s`);
    const faults: string[] = [];
    await until(
      async () => JSON.stringify(await world.ask((sql) => sql`select * from mashup.live_jobs limit 3`)),
      async () => (await countLive()) === 0,
      SETTLE_MS,
    ).catch((error: unknown) => faults.push(`not all jobs have ended: ${String(error)}`));
    await watch.stop();
    faults.push(...watch.faults, ...(await judgeJobs(world, submitted, storm.cancelled)));
    faults.push(...(await judgeStorage(world).catch((error: unknown) => [String(error)])));
    const report = await describe();
    for (const worker of world.workers) worker.process.kill('SIGTERM');
    await Promise.all(world.workers.map(({ exited }) => exited));
    await Promise.all(world.workers.map(({ proxy }) => proxy.close()));
    await until('the workers have left', async () => (await judgeLeaks(world)).length === 0, 10_000).catch(() => {});
    faults.push(...(await judgeLeaks(world)));
    faults.push(
      ...world.log
        .filter((line) => /unhandled|uncaught|internal_error/.test(line))
        .map((line) => `a worker logged: ${line}`),
    );
    return { ...report, seconds: Math.round((performance.now() - start) / 1000), faults };

    async function countLive(): Promise<number> {
      const [row] = await world.ask(
        (sql) => sql<{ n: number }[]>`select count(*)::int as n from mashup_jobs where status = 'processing'`,
      );
      return row?.n ?? 0;
    }

    async function describe(): Promise<Omit<ChaosReport, 'faults' | 'seconds'>> {
      const ended = await world.ask(
        (sql) => sql<{ how: string; n: number }[]>`
        select coalesce(error_code, stage) as how, count(*)::int as n from mashup_jobs group by 1 order by 2 desc`,
      );
      const [work] = await world.ask(
        (sql) => sql<Record<string, number>[]>`
        select (select count(*)::int from mashup.tasks) as tasks, (select sum(attempt)::int from mashup.tasks) as wake_ups,
          (select sum(failures)::int from mashup.tasks) as failures, (select sum(crashes)::int from mashup.tasks) as taken_from_lost_workers,
          (select count(*)::int from mashup_job_events) as events, (select count(*)::int from mashup_results) as results,
          (select count(*)::int from mashup_job_events where type = 'replay') as replays`,
      );
      return {
        seed,
        jobs,
        ended: Object.fromEntries(ended.map(({ how, n }) => [how, n])),
        work: { ...work, service_calls: world.services.calls },
        blows: Object.fromEntries([...storm.counts].sort()),
        serviceFaults: Object.fromEntries([...world.services.faults].sort()),
        recovery: (['killed', 'stopped', 'cut'] as const).map((loss) => {
          const own = watch.recoveries.filter((recovery) => recovery.loss === loss);
          const freed = own.map(({ freedSec }) => freedSec);
          const started = own.flatMap(({ startedSec }) => startedSec ?? []);
          return {
            loss,
            tasks: own.length,
            freed_p50_sec: percentile(freed, 0.5),
            freed_max_sec: percentile(freed, 1),
            started_p50_sec: percentile(started, 0.5),
            started_p95_sec: percentile(started, 0.95),
            started_max_sec: percentile(started, 1),
          };
        }),
      };
    }
  } finally {
    await world.close();
  }
}

/** What postgres.js throws from a timer when a connection is lost while it logs in. Its query fails all the same. */
const POSTGRES_JS_LATE_WRITE = /null \(reading 'write'\)/;

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
  process.on('uncaughtException', (error) => {
    // A socket that a restart of Postgres cut off under this process is part of the weather.
    if (POSTGRES_JS_LATE_WRITE.test(error.message) || 'syscall' in error) return;
    console.error(error);
    process.exit(2);
  });
  const { values } = parseArgs({
    options: {
      jobs: { type: 'string', default: '1000' },
      workers: { type: 'string', default: '4' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      every: { type: 'string', default: '2000' },
      json: { type: 'string' },
    },
  });
  console.log(`seed ${values.seed}`);
  const report = await runChaos({
    jobs: Number(values.jobs),
    workers: Number(values.workers),
    seed: Number(values.seed),
    everyMs: Number(values.every),
    log: (line) => console.log(line),
  });
  printTable(`${report.jobs} jobs in ${report.seconds} s ended`, [report.ended]);
  printTable('What they went through', [report.work]);
  printTable('Blows', [report.blows]);
  printTable(
    'Faults of services',
    Object.entries(report.serviceFaults).map(([fault, calls]) => ({ fault, calls })),
  );
  printTable('Tasks of lost workers: seconds until taken from them, until started elsewhere', report.recovery);
  console.log(
    report.faults.length === 0
      ? '\nNothing was lost, doubled or left behind.'
      : `\n${report.faults.length} FAULTS\n${report.faults.slice(0, 40).join('\n')}`,
  );
  if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  process.exit(report.faults.length === 0 ? 0 : 1);
}
