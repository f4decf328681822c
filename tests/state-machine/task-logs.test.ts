/** Log lines of tasks: who writes them, how many are kept for how long, and how operators read them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, it } from 'node:test';
import type postgres from 'postgres';
import { useMachine } from './state-machine-fixture.ts';
import type { ClaimedTask } from './state-machine-fixture.ts';

const lineOf = ({ task_id, claim }: ClaimedTask, line: string, more: object = {}): object => ({
  task: task_id,
  claim,
  age_sec: 0,
  level: 'info',
  line,
  fields: {},
  ...more,
});

async function write(workerId: string, lines: object[]): Promise<number | null> {
  const [row] = await m.sql<
    { n: number | null }[]
  >`select mashup.write_task_logs(${workerId}, ${m.sql.json(lines as postgres.JSONValue)}) as n`;
  return row?.n ?? null;
}

async function linesOf(jobId: string, after = 0): Promise<string[]> {
  const rows = await m.sql<{ line: string }[]>`select line from mashup.read_task_logs(${jobId}, p_after => ${after})`;
  return rows.map(({ line }) => line);
}

async function claimTwo(): Promise<[ClaimedTask, ClaimedTask]> {
  const job = await m.submit(await m.user(), 2);
  const [first, second] = [await m.claimNext(worker, job), await m.claimNext(worker, job)];
  assert.ok(first && second);
  return [first, second];
}

const m = await useMachine({ after });
const worker = await m.worker();
await m.sql`update mashup.settings set value = value || '{"analysis": 100}' where name = 'service_limits'`;
await m.sql`update mashup.settings set value = '100' where name = 'max_running_jobs'`;

it('a registered worker writes lines, which operators read by job or task after an id', async () => {
  const [first, second] = await claimTwo();
  const lines = [lineOf(first, 'a'), lineOf(second, 'b', { level: 'warn', fields: { code: 'x' } }), lineOf(first, 'c')];
  assert.equal(await write(worker, lines), 3);
  assert.deepEqual(await linesOf(first.job_id), ['a', 'b', 'c']);
  const [ofFirst] = await m.sql`select * from mashup.read_task_logs(p_task_id => ${first.task_id}, p_limit => 1)`;
  assert.equal(ofFirst?.line, 'a');
  assert.equal(ofFirst.kind, 'analyze');
  assert.equal(ofFirst.worker_id, worker);
  assert.equal(ofFirst.claim, first.claim);
  assert.deepEqual(await linesOf(first.job_id, Number(ofFirst.id)), ['b', 'c']);
  await assert.rejects(m.sql`select * from mashup.read_task_logs()`, { code: 'MB006' });
  const [age] = await m.sql`select mashup.now() - max(at) < interval '1 minute' as fresh from mashup.task_logs`;
  assert.equal(age?.fresh, true);
});

it('a worker that is not registered writes nothing, and lines of unknown tasks are left out', async () => {
  const [first] = await claimTwo();
  assert.equal(await write(randomUUID(), [lineOf(first, 'forged')]), null);
  assert.equal(await write(worker, [lineOf(first, 'kept'), { ...lineOf(first, 'lost'), task: 999_999 }]), 1);
  assert.deepEqual(await linesOf(first.job_id), ['kept']);
});

it('the newest lines of each task are kept, and none if the setting is 0', async () => {
  const [first, second] = await claimTwo();
  await m.sql`update mashup.settings set value = '3' where name = 'task_log_max_lines'`;
  const numbered = [1, 2, 3, 4, 5].map((n) => lineOf(first, String(n)));
  await write(worker, [...numbered, lineOf(second, 'other')]);
  assert.deepEqual(await linesOf(first.job_id), ['3', '4', '5', 'other']);
  await m.sql`update mashup.settings set value = '0' where name = 'task_log_max_lines'`;
  assert.equal(await write(worker, [lineOf(first, 'none')]), 0);
  assert.deepEqual(await linesOf(first.job_id), ['3', '4', '5', 'other']);
  await m.sql`update mashup.settings set value = '500' where name = 'task_log_max_lines'`;
});

it('lines end with their time and with their job', async () => {
  const [first] = await claimTwo();
  const [other] = await claimTwo();
  await write(worker, [lineOf(first, 'old', { age_sec: 8 * 86_400 }), lineOf(first, 'new'), lineOf(other, 'other')]);
  await m.sweep();
  assert.deepEqual(await linesOf(first.job_id), ['new']);
  await m.sql`delete from public.mashup_jobs where id = ${first.job_id}`;
  const left = await m.sql`select line from mashup.task_logs where task_id in (${first.task_id}, ${other.task_id})`;
  assert.deepEqual([...left], [{ line: 'other' }]);
});

it('writing lines waits for no lock of a task or job', async () => {
  const [first] = await claimTwo();
  await m.sql.begin(async (tx) => {
    await tx`select from public.mashup_jobs where id = ${first.job_id} for update`;
    await tx`select from mashup.tasks where id = ${first.task_id} for update`;
    assert.equal(await write(worker, [lineOf(first, 'written')]), 1);
  });
});
