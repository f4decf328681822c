/**
 * Recovery, with real processes: how soon a lost worker's task runs again, and how soon a cancel or a replay reaches the
 * HTTP call of a running worker. RECOVERY_KILLS, RECOVERY_ABORTS and RECOVERY_HANGS say how often.
 *
 * A recovery is the time from the loss to the start that the task's row shows for its next claim.
 */
import { startChaosFixture } from '../tests/chaos/chaos-fixture.ts';
import type { ChaosFixture, ChaosWorker } from '../tests/chaos/chaos-fixture.ts';
import { percentile, printTable } from './table.ts';

const KILLS = Number(process.env['RECOVERY_KILLS'] ?? 100);
const HANGS = Number(process.env['RECOVERY_HANGS'] ?? 3);
const ABORTS = Number(process.env['RECOVERY_ABORTS'] ?? 20);
/** A hung worker is found by its lease (30 s) at the latest. */
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
  /** When the held call was given up, by the clock of the system. */
  left: Promise<number>;
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

export async function benchRecovery(): Promise<Spread[]> {
  let onPlan: ((gone: AbortSignal) => void) | undefined;
  const world = await startChaosFixture({
    settings: { max_submits_per_minute: '1000', max_queued_jobs_per_user: '1000', restart_grace_sec: '0' },
    async onCall(service, moment, _songId, gone) {
      if (service !== 'orchestrator' || moment !== 'received' || !onPlan) return;
      const hold = onPlan;
      onPlan = undefined;
      hold(gone);
      await new Promise((resolve) => gone.addEventListener('abort', resolve));
    },
  });
  try {
    const userId = await world.addUser();
    const paths = [await world.upload(userId, 'one'), await world.upload(userId, 'two')];
    await world.addWorker();
    await world.addWorker();
    let jobs = 0;

    /** A job whose planner is asked and does not answer. */
    async function hold(): Promise<Held> {
      const gone = new Promise<AbortSignal>((resolve) => (onPlan = resolve));
      const jobId = await world.submit(userId, `job-${jobs++}`, paths);
      const signal = await gone;
      const left = new Promise<number>((resolve) => signal.addEventListener('abort', () => resolve(Date.now())));
      const [task] = await world.query(
        (sql) => sql<{ id: string; claim: string; worker_id: string }[]>`
        select id, claim, worker_id from mashup.tasks where job_id = ${jobId} and kind = 'plan' and state = 'running'`,
      );
      const holder = world.workers.find(({ id }) => id === task?.worker_id);
      if (!task || !holder) throw new Error('the task that is held is not running');
      return { jobId, taskId: task.id, claim: task.claim, holder, left };
    }

    // One that is told to end takes its children along.
    process.once('SIGTERM', () => process.exit(143));
    const kills: number[] = [];
    for (let n = 0; n < KILLS; n++) {
      const held = await hold();
      const at = Date.now();
      held.holder.process.kill('SIGKILL');
      await held.holder.exited;
      world.removeWorker(held.holder);
      kills.push(await untilRestarted(world, held, at));
      await world.addWorker();
      await untilEnded(world, held.jobId);
    }

    const aborts: Record<string, number[]> = { cancel: [], replay: [] };
    for (let n = 0; n < ABORTS; n++) {
      for (const [verb, sample] of Object.entries(aborts)) {
        const held = await hold();
        const at = Date.now();
        await world.query((sql) =>
          verb === 'cancel'
            ? sql`select mashup.cancel(${held.jobId})`
            : sql`update mashup_jobs set stage = 'planning' where id = ${held.jobId}`,
        );
        sample.push(((await held.left) - at) / 1000);
        await untilEnded(world, held.jobId);
      }
    }

    const stops: number[] = [];
    const cuts: number[] = [];
    for (let n = 0; n < HANGS; n++) {
      const stopped = await hold();
      stopped.holder.process.kill('SIGSTOP');
      stops.push(await untilRestarted(world, stopped, Date.now()));
      stopped.holder.process.kill('SIGCONT');
      await untilEnded(world, stopped.jobId);
      const cut = await hold();
      cut.holder.proxy.cut();
      cuts.push(await untilRestarted(world, cut, Date.now()));
      cut.holder.proxy.restore();
      await untilEnded(world, cut.jobId);
    }
    const rows = [
      spreadOf('SIGKILL: the task starts on another worker', 5, kills),
      spreadOf('SIGSTOP: the task starts on another worker', 40, stops),
      spreadOf('half-open connections: the task starts on another worker', 40, cuts),
      spreadOf('cancel: the HTTP call is aborted', 1, aborts['cancel'] ?? []),
      spreadOf('replay: the HTTP call is aborted', 1, aborts['replay'] ?? []),
    ];
    printTable(
      'Recovery, two workers, default lease of 30 s',
      rows.map((row) => ({ ...row })),
    );
    return rows;
  } finally {
    await world.close();
  }
}

async function untilRestarted(world: ChaosFixture, held: Held, at: number): Promise<number> {
  let started = 0;
  await world.until(
    'the task runs again',
    async () => {
      const [task] = await world.query(
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

async function untilEnded(world: ChaosFixture, jobId: string): Promise<void> {
  await world.until(
    'the job ends',
    async () => {
      const rows = await world.query(
        (sql) => sql`select from mashup_jobs where id = ${jobId} and status <> 'processing'`,
      );
      return rows.length === 1;
    },
    HANG_PATIENCE_MS,
  );
}
