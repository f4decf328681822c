/**
 * The state machine of this build beside that of an earlier one, and beside Graphile Worker alone with as many tasks, in one run:
 * jobs per second, commits and processor time of a job. BENCH_BASELINE is the path of a checkout of the earlier build, with its
 * own node_modules. Rounds of the builds alternate, so that other load of the machine meets all of them.
 */
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import postgres from 'postgres';
import type { BenchFixture, Uploader } from './bench-fixture.ts';
import { measureCosts, measureHandoff, measureIdle, measureThroughput, openLimits, uploaders } from './handoff.ts';
import type { Costs, Counters, Handoff } from './handoff.ts';
import { measureBare, measureBareHandoff } from './bare-queue.ts';
import { percentile, printTable } from './table.ts';

const JOBS = Number(process.env['BENCH_JOBS'] ?? 100);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** Numbers of workers and of tasks that each runs at one time, as `workers x tasks`. */
const [WORKERS = 1, CONCURRENCY = 10] = (process.env['BENCH_WORKERS'] ?? '1x10').split('x').map(Number);
/** `worker`: the product's, with files in Storage and services over HTTP. */
const KIND = process.env['BENCH_KIND'] === 'worker' ? 'worker' : 'empty';
const UPLOADS = KIND === 'worker' ? 'bytes' : 'rows';
const PACED_PER_SEC = Number(process.env['BENCH_PER_SEC'] ?? 20);
/** Clock ticks a second of the times in /proc. */
const TICKS = 100;

interface Build {
  name: string;
  fixture: BenchFixture;
  jobs_per_sec: number[];
  cpu_ms: number[];
  /** Counted while the counters are waited for. */
  idle: Counters;
  costs: Costs[];
  handoff: Handoff[];
  /** When jobs were submitted at a constant rate: from and until, in ms. */
  paced: [number, number][];
  /** From submission to admission, of all jobs of the rounds in which all are submitted at once. */
  admitted_ms: number[];
  /** From submission to the end, of the jobs that are submitted at a constant rate. */
  job_ms: number[];
  /** Where the workers write the times of their hand-overs. */
  handover_file: string;
}

/** Starts the fixture of a checkout. In commit c91a9cb it has other names: `startWorld` in world.ts, and workers of kind `hands`. */
async function startFixture(root: string): Promise<BenchFixture> {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, 'bench', file)).href);
  const earlier = (await load('world.ts').catch(() => undefined)) as
    { startWorld(): Promise<BenchFixture> } | undefined;
  if (earlier === undefined)
    return ((await load('bench-fixture.ts')) as { startBenchFixture(): Promise<BenchFixture> }).startBenchFixture();
  const world = await earlier.startWorld();
  const startWorker = world.startWorker as (concurrency: number, kind?: string) => Promise<void>;
  return {
    ...world,
    startWorker: (concurrency, kind) => startWorker(concurrency, kind === 'empty' ? 'hands' : kind),
  };
}

/** Opens the environment of a build, from the files of its own checkout. */
async function openBuild(name: string, root: string): Promise<Build> {
  const fixture = await startFixture(root);
  await openLimits(fixture);
  if (process.env['BENCH_FUNCTIONS']) await trackFunctions(fixture);
  const folder = await mkdtemp(join(tmpdir(), 'mashup-handover-'));
  const handover_file = join(folder, 'ms');
  process.env['BENCH_HANDOFF_FILE'] = handover_file;
  for (let n = 0; n < WORKERS; n++) await fixture.startWorker(CONCURRENCY, KIND);
  return {
    name,
    fixture,
    handover_file,
    jobs_per_sec: [],
    cpu_ms: [],
    idle: { commits: 0, wal: 0, dead: 0 },
    costs: [],
    handoff: [],
    paced: [],
    admitted_ms: [],
    job_ms: [],
  };
}

/** Lets Postgres count the calls and the time of each function, in sessions that start from now on. */
async function trackFunctions({ superuserUrl }: BenchFixture): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  await sql`alter system set track_functions = 'all'`;
  await sql`select pg_reload_conf()`;
  await sql.end();
}

/** Processor time so far, in ms, of all processes of the database and of the registered workers. Linux only. */
async function processorMs({ sql }: BenchFixture): Promise<number> {
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const workers = await sql<{ pid: number }[]>`select pid from mashup.workers`;
  const pids = new Set(workers.map(({ pid }) => pid));
  const postmaster = (await statOf(backend?.pid ?? 0))?.parent;
  let ticks = 0;
  for (const entry of await readdir('/proc')) {
    const stat = /^\d+$/.test(entry) ? await statOf(Number(entry)) : undefined;
    if (!stat) continue;
    if (stat.pid === postmaster) ticks += stat.own + stat.ended;
    else if (stat.parent === postmaster || pids.has(stat.pid)) ticks += stat.own;
  }
  return (ticks * 1000) / TICKS;
}

/** Reads the times of a process, in ticks: its own, and those of its ended children. */
async function statOf(pid: number): Promise<{ pid: number; parent: number; own: number; ended: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (text === '') return undefined;
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0, own = 0, system = 0, ended = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map((n) => fields[n]);
  return { pid, parent, own: own + system, ended: ended + endedSystem };
}

async function measureRound(build: Build, users: Uploader[], paced: Uploader[]): Promise<void> {
  const { fixture } = build;
  build.costs.push(
    await measureCosts(fixture, users.length, build.idle, async () => {
      const before = await processorMs(fixture);
      build.jobs_per_sec.push(await measureThroughput(fixture, users));
      build.cpu_ms.push(((await processorMs(fixture)) - before) / users.length);
    }),
  );
  build.admitted_ms.push(...(await waitsOf(fixture, users, 'admitted_at')));
  if (paced.length === 0) return;
  const from = Date.now();
  build.handoff.push(await measureHandoff(fixture, paced, PACED_PER_SEC));
  build.paced.push([from, Date.now()]);
  build.job_ms.push(...(await waitsOf(fixture, paced, 'finished_at')));
}

/** Times from the submission of each user's job to its admission, as its history has it, or to its end; in ms. */
async function waitsOf(
  { sql }: BenchFixture,
  users: Uploader[],
  until: 'admitted_at' | 'finished_at',
): Promise<number[]> {
  const ids = users.map(({ userId }) => userId);
  const rows = await sql<{ ms: number }[]>`
    select extract(epoch from case when ${until} = 'finished_at' then j.finished_at else (
      select min(e.created_at) from public.mashup_job_events e where e.job_id = j.id and e.from_stage = 'queued') end - j.created_at)::float8 * 1000 as ms
    from public.mashup_jobs j where j.user_id = any (${ids})`;
  return rows.map(({ ms }) => ms);
}

/** Times from a finish to the next claim that it returned, at the constant rate, as the workers measured them; none for earlier builds. */
async function handoffsIn({ handover_file, paced }: Build): Promise<number[]> {
  const text = await readFile(handover_file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .flatMap(([at = NaN, ms = NaN]) => (paced.some(([from, until]) => from <= at && at <= until) ? [ms] : []));
}

const median = (values: number[]): number => percentile(values, 0.5);

/** The figures of a build: medians of its rounds. */
async function resultOf(build: Build, bare: number[]): Promise<Record<string, string | number>> {
  const handovers = await handoffsIn(build);
  return {
    what: build.name,
    'jobs/s': median(build.jobs_per_sec),
    'of Graphile Worker alone': median(build.jobs_per_sec.map((one, n) => one / (bare[n] ?? NaN))),
    cpu_ms: median(build.cpu_ms),
    commits: median(build.costs.map((one) => one.commits)),
    wal_kb: median(build.costs.map((one) => one.wal_kb)),
    dead: median(build.costs.map((one) => one.dead_tuples)),
    ...(build.handoff.length > 0
      ? {
          p50_ms: median(build.handoff.map((one) => one.p50_ms)),
          p99_ms: median(build.handoff.map((one) => one.p99_ms)),
          job_p50_ms: median(build.job_ms),
          job_p99_ms: percentile(build.job_ms, 0.99),
        }
      : {}),
    admitted_p50_ms: median(build.admitted_ms),
    admitted_p95_ms: percentile(build.admitted_ms, 0.95),
    handover_p50_ms: median(handovers),
    handover_p99_ms: percentile(handovers, 0.99),
  };
}

/** Measures and prints both builds and Graphile Worker alone. */
export async function benchBuilds() {
  const baseline = process.env['BENCH_BASELINE'];
  const builds = [await openBuild('this build', join(import.meta.dirname, '..'))];
  if (baseline !== undefined) builds.unshift(await openBuild('earlier build', baseline));
  const bare: number[] = [];
  try {
    for (const build of builds) {
      // Each session plans its statements once.
      for (let n = 0; n < 2; n++) await measureThroughput(build.fixture, await uploaders(build.fixture, 100, UPLOADS));
      build.idle = await measureIdle(build.fixture);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const build of builds) {
        const paced = PACED_PER_SEC > 0 ? await uploaders(build.fixture, 60, UPLOADS) : [];
        await measureRound(build, await uploaders(build.fixture, JOBS, UPLOADS), paced);
      }
      const last = builds.at(-1);
      if (last) bare.push(await measureBare(last.fixture.url, JOBS, WORKERS * CONCURRENCY));
    }
    const last = builds.at(-1);
    const bare_handoff_p50_ms =
      last && PACED_PER_SEC > 0 ? await measureBareHandoff(last.fixture.url, PACED_PER_SEC) : undefined;
    for (const { fixture } of builds) await fixture.stopWorkers();
    const rows = await Promise.all(builds.map((build) => resultOf(build, bare)));
    printTable(`${JOBS} jobs of seven tasks, ${WORKERS} x ${CONCURRENCY}, median of ${ROUNDS} rounds`, rows);
    console.log(
      `Graphile Worker alone: ${median(bare).toFixed(1)} jobs/s, hand-off p50 ${bare_handoff_p50_ms?.toFixed(2)} ms`,
    );
    if (process.env['BENCH_FUNCTIONS']) for (const build of builds) await printFunctions(build);
    return {
      jobs: JOBS,
      workers: WORKERS,
      concurrency: CONCURRENCY,
      bare,
      bare_handoff_p50_ms,
      builds: rows,
    };
  } finally {
    for (const { fixture } of builds) await fixture.close();
  }
}

/** Prints the functions in which most time was spent. */
async function printFunctions({ name, fixture }: Build): Promise<void> {
  const rows =
    await fixture.sql`select funcname as function, calls::int, round(self_time::numeric, 1)::float8 as self_ms, round(total_time::numeric, 1)::float8 as total_ms
    from pg_stat_user_functions order by self_time desc limit 60`;
  printTable(
    `Functions of ${name}`,
    rows.map((row) => ({ ...row })),
  );
}
