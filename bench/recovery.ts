/**
 * Recovery with real processes: time until a lost worker's task runs again, and until a cancellation or a replay aborts the
 * HTTP call of a running worker. RECOVERY_KILLS, RECOVERY_ABORTS and RECOVERY_HANGS set the number of samples.
 *
 * The recovery time is measured from the loss to `started_at` of the task's next claim.
 */
import { startChaosFixture } from '../tests/chaos/chaos-fixture.ts';
import type { ChaosFixture, ChaosWorker } from '../tests/chaos/chaos-fixture.ts';
import { percentile, printTable } from './table.ts';

const KILLS = Number(process.env['RECOVERY_KILLS'] ?? 100);
const HANGS = Number(process.env['RECOVERY_HANGS'] ?? 3);
const ABORTS = Number(process.env['RECOVERY_ABORTS'] ?? 20);
/** Limit for the detection of a hung worker; its lease is 30 s. */
const HANG_PATIENCE_MS = 60_000;

interface Spread {
  what: string;
  target_sec: number;
  samples: number;
  p50_sec: number;
  p95_sec: number;
  max_sec: number;
}

interface Held {
  jobId: string;
  taskId: string;
  claim: string;
  holder: ChaosWorker;
  /** System time when the held call was aborted. */
  aborted: Promise<number>;
}

/** One row of the table. */
function spreadOf(what: string, target_sec: number, sample: number[]): Spread {
  return {
    what,
    target_sec,
    samples: sample.length,
    p50_sec: percentile(sample, 0.5),
    p95_sec: percentile(sample, 0.95),
    max_sec: percentile(sample, 1),
  };
}

/** A fixture whose planning calls can be held: a held call gets no response until its caller aborts it. */
interface HeldCalls {
  fixture: ChaosFixture;
  /** Submits a job and waits until its planning call is held. */
  hold(): Promise<Held>;
}

async function startFixture(): Promise<HeldCalls> {
  let onPlan: ((gone: AbortSignal) => void) | undefined;
  const fixture = await startChaosFixture({
    settings: { max_submits_per_minute: '1000', max_queued_jobs_per_user: '1000', restart_grace_sec: '0' },
    async onCall(service, moment, _songId, gone) {
      if (service !== 'orchestrator' || moment !== 'received' || !onPlan) return;
      const hold = onPlan;
      onPlan = undefined;
      hold(gone);
      await new Promise((resolve) => gone.addEventListener('abort', resolve));
    },
  });
  const userId = await fixture.addUser();
  const paths = [await fixture.upload(userId, 'one'), await fixture.upload(userId, 'two')];
  await fixture.addWorker();
  await fixture.addWorker();
  let jobs = 0;
  return {
    fixture,
    async hold() {
      const gone = new Promise<AbortSignal>((resolve) => (onPlan = resolve));
      const jobId = await fixture.submit(userId, `job-${jobs++}`, paths);
      const signal = await gone;
      const aborted = new Promise<number>((resolve) => signal.addEventListener('abort', () => resolve(Date.now())));
      const [task] = await fixture.query(
        (sql) => sql<{ id: string; claim: string; worker_id: string }[]>`
        select id, claim, worker_id from mashup.tasks where job_id = ${jobId} and kind = 'plan' and state = 'running'`,
      );
      const holder = fixture.workers.find(({ id }) => id === task?.worker_id);
      if (!task || !holder) throw new Error('the held task is not running');
      return { jobId, taskId: task.id, claim: task.claim, holder, aborted };
    },
  };
}

/** Seconds from SIGKILL of a worker to the start of its task elsewhere. */
async function sampleKills({ fixture, hold }: HeldCalls): Promise<number[]> {
  const sample: number[] = [];
  for (let n = 0; n < KILLS; n++) {
    const held = await hold();
    const at = Date.now();
    held.holder.process.kill('SIGKILL');
    await held.holder.exited;
    fixture.removeWorker(held.holder);
    sample.push(await untilRestarted(fixture, held, at));
    await fixture.addWorker();
    await untilEnded(fixture, held.jobId);
  }
  return sample;
}

/** Seconds from a cancellation, and from a replay, to the abort of the running call. */
async function sampleAborts({ fixture, hold }: HeldCalls): Promise<{ cancel: number[]; replay: number[] }> {
  const samples: { cancel: number[]; replay: number[] } = { cancel: [], replay: [] };
  for (let n = 0; n < ABORTS; n++) {
    for (const operation of ['cancel', 'replay'] as const) {
      const held = await hold();
      const at = Date.now();
      await fixture.query((sql) =>
        operation === 'cancel'
          ? sql`select mashup.cancel(${held.jobId})`
          : sql`update public.mashup_jobs set stage = 'planning' where id = ${held.jobId}`,
      );
      samples[operation].push(((await held.aborted) - at) / 1000);
      await untilEnded(fixture, held.jobId);
    }
  }
  return samples;
}

/** Seconds from SIGSTOP, and from half-open connections, to the start of the task elsewhere. */
async function sampleHangs({ fixture, hold }: HeldCalls): Promise<{ stops: number[]; cuts: number[] }> {
  const stops: number[] = [];
  const cuts: number[] = [];
  for (let n = 0; n < HANGS; n++) {
    const stopped = await hold();
    stopped.holder.process.kill('SIGSTOP');
    stops.push(await untilRestarted(fixture, stopped, Date.now()));
    stopped.holder.process.kill('SIGCONT');
    await untilEnded(fixture, stopped.jobId);
    const cut = await hold();
    cut.holder.proxy.cut();
    cuts.push(await untilRestarted(fixture, cut, Date.now()));
    cut.holder.proxy.restore();
    await untilEnded(fixture, cut.jobId);
  }
  return { stops, cuts };
}

/** Measures and prints the recovery times. */
export async function benchRecovery(): Promise<Spread[]> {
  const calls = await startFixture();
  // A benchmark that is terminated ends its processes too.
  process.once('SIGTERM', () => process.exit(143));
  try {
    const kills = await sampleKills(calls);
    const aborts = await sampleAborts(calls);
    const { stops, cuts } = await sampleHangs(calls);
    const rows = [
      spreadOf('SIGKILL: the task starts on another worker', 5, kills),
      spreadOf('SIGSTOP: the task starts on another worker', 40, stops),
      spreadOf('half-open connections: the task starts on another worker', 40, cuts),
      spreadOf('cancel: the HTTP call is aborted', 1, aborts.cancel),
      spreadOf('replay: the HTTP call is aborted', 1, aborts.replay),
    ];
    printTable(
      'Recovery, two workers, default lease of 30 s',
      rows.map((row) => ({ ...row })),
    );
    return rows;
  } finally {
    await calls.fixture.close();
  }
}

async function untilRestarted(fixture: ChaosFixture, held: Held, at: number): Promise<number> {
  let started = 0;
  await fixture.until(
    'the task runs again',
    async () => {
      const [task] = await fixture.query(
        (sql) => sql<{ claim: string | null; started_at: Date }[]>`
        select claim, started_at from mashup.tasks where id = ${held.taskId}`,
      );
      started = task?.started_at.getTime() ?? 0;
      return task !== undefined && task.claim !== held.claim && started >= at;
    },
    HANG_PATIENCE_MS,
  );
  return (started - at) / 1000;
}

async function untilEnded(fixture: ChaosFixture, jobId: string): Promise<void> {
  await fixture.until(
    'the job ends',
    async () => {
      const rows = await fixture.query(
        (sql) => sql`select from public.mashup_jobs where id = ${jobId} and status <> 'processing'`,
      );
      return rows.length === 1;
    },
    HANG_PATIENCE_MS,
  );
}
