/** Kills a worker with SIGKILL in each kind of task at each relevant moment. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TASK_KIND_DEFINITIONS } from '../../schema/database.ts';
import type { TaskKind } from '../../schema/database.ts';
import { checkJobs } from './assertions.ts';
import { startKillFixture } from './kill-fixture.ts';
import { killAt, MOMENTS } from './kill-moments.ts';
import type { Moment } from './kill-moments.ts';

/** The kinds of tasks that a job passes on its way to a result. Stems of a mashup are asked for afterwards. */
export const KINDS_OF_JOBS: readonly TaskKind[] = TASK_KIND_DEFINITIONS.filter(({ stage }) => stage !== 'complete').map(
  ({ kind }) => kind,
);

/** A task of a killed worker must run again within this. */
const RESTART_LIMIT_SEC = 5;

const fixture = await startKillFixture();
const { chaos, userId } = fixture;
after(() => chaos.close());
const restartSeconds: number[] = [];

/** Registers a test for each combination of kind and moment, and a test that reports the times. */
export function testCells(cells: readonly { kind: TaskKind; moment: Moment }[]): void {
  for (const { kind, moment } of cells) {
    test(`a worker killed in ${kind} ${moment} loses nothing and duplicates nothing`, async () => {
      const jobName = `${kind}-${MOMENTS.indexOf(moment)}`;
      const jobId = await submitPaused(jobName);
      const seconds = await killAt(moment, fixture, { kind, jobName, jobId });
      if (seconds !== undefined) {
        restartSeconds.push(seconds);
        assert.ok(seconds < RESTART_LIMIT_SEC, `it ran again after ${seconds} s`);
      }
      const replacement = chaos.addWorker();
      await untilEnded(jobId);
      await replacement;
      const violations = await checkJobs(chaos, [{ id: jobId, fault: 'none' }], new Set());
      assert.deepEqual(
        violations.filter((violation) => violation.includes(jobId)),
        [],
      );
      if (moment !== 'after the commit')
        assert.ok((await countCrashes(jobId, kind)) >= 1, 'the task was recovered from the killed worker');
    });
  }

  test('times until killed tasks run again', () => {
    const sorted = restartSeconds.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    console.log(`  ${sorted.length} kills: p50 ${median} s, max ${sorted.at(-1)} s`);
    assert.equal(sorted.length, cells.filter(({ moment }) => moment !== 'after the commit').length);
  });
}

/** Submits a job that is paused. Returns its id. */
async function submitPaused(jobName: string): Promise<string> {
  const paths = [await chaos.upload(userId, `${jobName}-a`), await chaos.upload(userId, `${jobName}-b`)];
  await chaos.query((sql) => sql`select mashup.pause('user', ${userId})`);
  const jobId = await chaos.submit(userId, jobName, paths);
  await chaos.query((sql) => sql`select mashup.pause('job', ${jobId})`);
  await chaos.query((sql) => sql`select mashup.resume('user', ${userId})`);
  return jobId;
}

async function untilEnded(jobId: string): Promise<void> {
  const state = (): Promise<unknown> =>
    chaos.query((sql) => sql`select stage, waiting_on, error_code from mashup_jobs where id = ${jobId}`);
  await chaos.until(
    async () => `the job ends: ${JSON.stringify(await state())}`,
    async () => {
      const rows = await chaos.query(
        (sql) => sql`select from mashup_jobs where id = ${jobId} and status <> 'processing'`,
      );
      return rows.length === 1;
    },
  );
}

async function countCrashes(jobId: string, kind: TaskKind): Promise<number> {
  const [row] = await chaos.query(
    (sql) => sql<{ n: number }[]>`
    select sum(crashes)::int as n from mashup.tasks where job_id = ${jobId} and kind = ${kind}`,
  );
  return row?.n ?? 0;
}
