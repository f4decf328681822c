/** The moments at which the kill matrix kills a worker. Each is held by a call, a claim or a row lock, without sleeps. */
import type { TaskKind } from '../../schema/database.ts';
import type { KillFixture } from './kill-fixture.ts';

export const MOMENTS = [
  'before the call',
  'during the call',
  'after the call and before the commit',
  'after the commit',
] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Cell {
  kind: TaskKind;
  jobName: string;
  jobId: string;
}

/**
 * Brings a job to a moment and kills the worker of its task.
 * @returns the seconds until the task ran again; undefined after the commit, when it does not run again
 */
export function killAt(moment: Moment, fixture: KillFixture, cell: Cell): Promise<number | undefined> {
  return KILLS[moment](fixture, cell);
}

const KILLS: Record<Moment, (fixture: KillFixture, cell: Cell) => Promise<number | undefined>> = {
  'before the call': killBeforeCall,
  'during the call': killDuringCall,
  'after the call and before the commit': killBeforeCommit,
  'after the commit': killAfterCommit,
};

/** The claim is held in its transaction. Before it commits all workers are stopped, so that none reads the answer. */
async function killBeforeCall(fixture: KillFixture, { kind, jobId }: Cell): Promise<number> {
  const hold = await fixture.holdClaim(jobId, kind);
  await fixture.startJob(jobId);
  await hold.untilHeld();
  for (const worker of fixture.workers) worker.process.kill('SIGSTOP');
  await hold.release();
  await fixture.untilRow(
    'the claim is committed',
    (sql) => sql`select from mashup.tasks where job_id = ${jobId} and kind = ${kind} and state = 'running'`,
  );
  // Of two songs, either may have been claimed before the workers were stopped.
  const task = await fixture.runningTask(jobId, kind, true);
  const killedAt = await fixture.killWorkerOf(task);
  for (const worker of fixture.workers) worker.process.kill('SIGCONT');
  return fixture.untilRestarted(task, killedAt);
}

async function killDuringCall(fixture: KillFixture, { kind, jobName, jobId }: Cell): Promise<number> {
  const { reached, release } = fixture.holdCall(kind, jobName, 'received');
  await fixture.startJob(jobId);
  await reached;
  const task = await fixture.runningTask(jobId, kind);
  const killedAt = await fixture.killWorkerOf(task);
  release();
  return fixture.untilRestarted(task, killedAt);
}

/** The response has arrived, and the finish waits for the job's row, which is locked here. */
async function killBeforeCommit(fixture: KillFixture, { kind, jobName, jobId }: Cell): Promise<number> {
  const { chaos } = fixture;
  const { reached, release } = fixture.holdCall(kind, jobName, 'finished');
  await fixture.startJob(jobId);
  await reached;
  const task = await fixture.runningTask(jobId, kind);
  // The job's other tasks end first, so that the waiting finish is that of this task.
  await chaos.until('no other task of the job runs', async () => {
    const rows = await chaos.query(
      (sql) => sql`select from mashup.tasks where job_id = ${jobId} and state in ('ready', 'running')`,
    );
    return rows.length === 1;
  });
  const connection = chaos.openConnection();
  let killedAt = 0;
  await connection.begin(async (tx) => {
    await tx`select from mashup_jobs where id = ${jobId} for update`;
    release();
    await fixture.untilRow(
      'the finish waits for the row lock',
      (sql) => sql`select from pg_stat_activity where wait_event_type = 'Lock' and query like '%finish_task%'`,
    );
    killedAt = await fixture.killWorkerOf(task);
    // The statement continues without its client. It is ended here, as the server would do when it writes to the client.
    await chaos.query(
      (sql) => sql`
      select pg_terminate_backend(pid, 2000) from pg_stat_activity
      where wait_event_type = 'Lock' and query like '%finish_task%'`,
    );
  });
  await connection.end();
  return fixture.untilRestarted(task, killedAt);
}

/** The commit is detected by its row. The worker is killed before it continues. */
async function killAfterCommit(fixture: KillFixture, { kind, jobName, jobId }: Cell): Promise<undefined> {
  const { reached, release } = fixture.holdCall(kind, jobName, 'finished');
  await fixture.startJob(jobId);
  await reached;
  const task = await fixture.runningTask(jobId, kind);
  release();
  await fixture.untilRow(
    'the task is done',
    (sql) => sql`select from mashup.tasks where id = ${task.id} and state = 'done'`,
  );
  await fixture.killWorkerOf(task);
}
