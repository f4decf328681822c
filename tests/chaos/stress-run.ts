/** Runs a stress test: submits jobs under injected faults, waits for their end, and checks rows and files. */
import { checkJobs, checkLeaks, checkStorage } from './assertions.ts';
import type { SubmittedJob } from './assertions.ts';
import { startChaosFixture } from './chaos-fixture.ts';
import type { ChaosFixture } from './chaos-fixture.ts';
import { FaultInjection } from './fault-injection.ts';
import { jobFaultOf } from './fault-plan.ts';
import { random } from './random.ts';
import { RecoveryMonitor } from './recovery-monitor.ts';
import { collectReport } from './stress-report.ts';
import type { StressReport } from './stress-report.ts';

const JOBS_PER_USER = 5;
/** One job of this many has the songs of the job before, so that caches are used. */
const SAME_SONGS_EVERY = 8;
/** Jobs that may wait or run at one time. */
const MAX_LIVE_JOBS = 24;
/** Limit for the end of all jobs after the last fault. */
const SETTLE_LIMIT_MS = 240_000;
const WORKER_EXIT_LIMIT_MS = 10_000;

/** Short time limits, so that a lease or a pause takes seconds. */
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

/**
 * graphile-worker 0.18.0 releases its LISTEN client twice if the connection is lost while it subscribes and the runner is stopped.
 * The second release is not awaited, so that its error is an unhandled rejection, without consequences.
 */
const DOUBLE_RELEASE = /already been released to the pool/;

export interface StressOptions {
  jobs: number;
  workers: number;
  seed: number;
  /** Mean time between two fault commands. */
  everyMs: number;
  log?: (line: string) => void;
}

/** Runs a stress test in an environment of its own. */
export async function runStress(options: StressOptions): Promise<StressReport> {
  const { jobs, workers, seed, everyMs, log = () => {} } = options;
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 1000);
  let killHolder: (claim: string) => void = () => {};
  const fixture = await startChaosFixture({
    seed,
    jobFaultOf: (songId) => jobFaultOf(seed, Number(/^j(\d+)/.exec(songId)?.[1] ?? 0)),
    onKiller: (claim) => killHolder(claim),
    settings: SETTINGS,
  });
  try {
    await relaxTaskKinds(fixture);
    await fixture.otherApplication.start();
    await Promise.all(Array.from({ length: workers }, () => fixture.addWorker()));
    const monitor = new RecoveryMonitor(fixture);
    const jobIds: string[] = [];
    const injection = new FaultInjection({ fixture, monitor, chance: random(seed, 'commands'), jobIds, everyMs });
    killHolder = (claim) => injection.killHolder(claim);
    let isOver = false;
    const injecting = injection.run(() => isOver);
    // Awaited below; until then a failed command must not end the process.
    injecting.catch(() => {});

    const submitted = await submitJobs(fixture, { jobs, seed }, (job, count) => {
      jobIds.push(job.id);
      if (count % 10 === 0) log(`${count} jobs submitted, ${seconds()} s`);
    });
    isOver = true;
    await injecting;
    log(`no more faults, ${seconds()} s`);
    const violations = await untilAllEnded(fixture);
    await monitor.stop();
    violations.push(...monitor.violations, ...(await checkJobs(fixture, submitted, injection.cancelled)));
    violations.push(...(await checkStorage(fixture).catch((error: unknown) => [String(error)])));
    violations.push(...(await fixture.otherApplication.finish()));
    const report = await collectReport(fixture, injection, monitor);
    violations.push(...(await stopWorkers(fixture)), ...checkLog(fixture));
    return { seed, jobs, ...report, seconds: seconds(), violations };
  } finally {
    await fixture.close();
  }
}

/** Allows more attempts than by default: the commands must not fail jobs that the fault plan lets complete. */
async function relaxTaskKinds(fixture: ChaosFixture): Promise<void> {
  await fixture.query(
    (sql) => sql`
    update mashup.task_kinds set max_attempts = 12, backoff_sec = 0.1, backoff_max_sec = 0.5, timeout_sec = 8,
      fallback_after_sec = fallback_after_sec / 4`,
  );
}

/** Submits the jobs, as many at a time as may be live. */
async function submitJobs(
  fixture: ChaosFixture,
  { jobs, seed }: { jobs: number; seed: number },
  onSubmit: (job: SubmittedJob, count: number) => void,
): Promise<SubmittedJob[]> {
  const submitted: SubmittedJob[] = [];
  let userId = '';
  let songs: string[] = [];
  for (let index = 0; index < jobs; index++) {
    if (index % JOBS_PER_USER === 0) userId = await fixture.addUser();
    const fault = jobFaultOf(seed, index);
    if (!repeatsSongs(seed, index)) {
      const count = fault === 'bad_third_song' ? 3 : 2;
      const names = Array.from({ length: count }, (_, i) => `j${index}-${i}`);
      songs = await Promise.all(names.map((name) => fixture.upload(userId, name)));
    }
    const job = { id: await fixture.submit(userId, `j${index}`, songs), fault };
    await fixture.otherApplication.add();
    submitted.push(job);
    onSubmit(job, submitted.length);
    await fixture.until(
      'another job may be submitted',
      async () => (await countLiveJobs(fixture)) < MAX_LIVE_JOBS,
      SETTLE_LIMIT_MS,
    );
  }
  return submitted;
}

/** Whether a job has the songs of the job before. Both must be of one user and without faults. */
function repeatsSongs(seed: number, index: number): boolean {
  return (
    index % SAME_SONGS_EVERY === SAME_SONGS_EVERY - 1 &&
    index % JOBS_PER_USER > 0 &&
    jobFaultOf(seed, index) === 'none' &&
    jobFaultOf(seed, index - 1) === 'none'
  );
}

async function countLiveJobs(fixture: ChaosFixture): Promise<number> {
  const [row] = await fixture.query(
    (sql) => sql<{ n: number }[]>`select count(*)::int as n from mashup_jobs where status = 'processing'`,
  );
  return row?.n ?? 0;
}

async function untilAllEnded(fixture: ChaosFixture): Promise<string[]> {
  try {
    await fixture.until(
      async () => JSON.stringify(await fixture.query((sql) => sql`select * from mashup.live_jobs limit 3`)),
      async () => (await countLiveJobs(fixture)) === 0,
      SETTLE_LIMIT_MS,
    );
    return [];
  } catch (error) {
    return [`not all jobs have ended: ${String(error)}`];
  }
}

/** Stops all workers. Returns what they leave in the database. */
async function stopWorkers(fixture: ChaosFixture): Promise<string[]> {
  const { workers } = fixture;
  for (const worker of workers) worker.process.kill('SIGTERM');
  await Promise.all(workers.map(({ exited }) => exited));
  await Promise.all(workers.map(({ proxy }) => proxy.close()));
  await fixture
    .until('the workers have left nothing', async () => (await checkLeaks(fixture)).length === 0, WORKER_EXIT_LIMIT_MS)
    .catch(() => {});
  return checkLeaks(fixture);
}

/** Workers log no unexpected errors. */
function checkLog({ log }: ChaosFixture): string[] {
  return log
    .filter((line) => /unhandled|uncaught|internal_error/.test(line) && !DOUBLE_RELEASE.test(line))
    .map((line) => `a worker logged: ${line}`);
}
