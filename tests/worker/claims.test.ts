/** Lost claims: the work is aborted within a second, and late writes change nothing. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import postgres from 'postgres';
import { openDatabase } from '../../worker/database/database.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';
import { heartbeatTask, claimTask, returnUnknownClaim, failTask } from '../../worker/database/database-api.ts';
import { finishTask } from '../../worker/database/finish-api.ts';
import type { Claim } from '../../worker/database/database-api.ts';
import { wavFile } from './wav-file.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from './worker-fixture.ts';
import { startOwnTime } from '../support/own-time.ts';

/** A heartbeat, which would abort a call as well, comes after 5 s. */
const MAX_ABORT_MS = 4_000;

const fixture = await useWorkerFixture({ after });
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const { sql, services } = fixture;

/** Registers a worker row without a worker, and claims the next ready task for it. */
async function claimByHand(): Promise<{ claim: Claim; db: ReturnType<typeof openDatabase>; workerId: string }> {
  const db = openDatabase(fixture.database.workerUrl, 1, startSocketWatchdog(25_000));
  const workerId = randomUUID();
  await sql`
    select mashup.register_worker(${workerId}, 'test', 1, ${String(Date.now())}::bigint, 'test', 1, array[]::text[], '{}'::jsonb, mashup.protocol_version())`;
  const [task] = await sql`select id, attempt from mashup.tasks where state = 'ready' order by id limit 1`;
  const claim = await claimTask(db, task?.['id'] as string, task?.['attempt'] as number, workerId);
  assert.equal(claim.status, 'claimed');
  return { claim: claim as Claim, db, workerId };
}

test('a task whose claim the worker does not know is returned at once, without counting a failure', async () => {
  const id = await fixture.submit(songs);
  const { claim, db, workerId } = await claimByHand();
  const read = async (): Promise<Record<string, unknown>> => {
    const [task] = await sql`
      select state, attempt, crashes, failures, worker_id from mashup.tasks where id = ${claim.task_id}`;
    return { ...task };
  };
  const { attempt } = await read();
  await returnUnknownClaim(db, claim.task_id, attempt as number, workerId, [claim.claim]);
  assert.equal((await read())['state'], 'running', 'a known claim is kept');
  await returnUnknownClaim(db, claim.task_id, attempt as number, workerId, []);
  assert.deepEqual(await read(), {
    state: 'ready',
    attempt: (attempt as number) + 1,
    crashes: 0,
    failures: 0,
    worker_id: null,
  });
  await sql`select mashup.cancel(${id})`;
  await db.destroy();
});

test('a second claim of the same queue entry is refused', async () => {
  const id = await fixture.submit(songs);
  const { claim, db } = await claimByHand();
  const [task] = await sql`select attempt, worker_id from mashup.tasks where id = ${claim.task_id}`;
  const again = await claimTask(db, claim.task_id, task?.['attempt'] as number, task?.['worker_id'] as string);
  assert.equal(again.status, 'gone');
  await sql`select mashup.cancel(${id})`;
  await db.destroy();
});

test('a task of a user whose id has no version of RFC 9562 is claimed', async () => {
  const seeded = '11111111-1111-1111-1111-111111111111';
  const id = await fixture.submit(songs);
  const superuser = postgres(fixture.database.superuserUrl, { max: 1 });
  await superuser.begin(async (tx) => {
    // Triggers keep the user of a job.
    await tx`set local session_replication_role = replica`;
    await tx`insert into auth.users (id, email) values (${seeded}, 'seeded@example.com')`;
    await tx`update public.mashup_jobs set user_id = ${seeded} where id = ${id}`;
  });
  await superuser.end();
  const { claim, db } = await claimByHand();
  assert.equal(claim.user_id, seeded);
  await sql`select mashup.cancel(${id})`;
  await db.destroy();
});

test('a claim that the worker cannot read counts as a failed attempt, and the log says what to do', async (t) => {
  await sql`delete from mashup.workers`;
  const [original] = await sql<{ body: string }[]>`
    select pg_get_functiondef('mashup.describe_claim'::regproc) as body`;
  t.after(() => sql.unsafe(original?.body ?? ''));
  await sql.unsafe((original?.body ?? '').replace("'epoch', p_job.epoch", "'epoch', 'first'"));
  const worker = await fixture.startWorker();
  t.after(() => worker.stop());
  const id = await fixture.submit(songs);
  const job = await fixture.untilEnded(id);
  assert.equal(job.error_code, 'claim_unreadable');
  assert.match(job.error_message ?? '', /epoch/);
  const tasks = await sql<{ id: string; failures: number; attempts: number }[]>`
    select t.id, t.failures, k.max_attempts as attempts from mashup.tasks t join mashup.task_kinds k on k.kind = t.kind
    where t.job_id = ${id} and t.state = 'failed'`;
  assert.ok(tasks.length > 0);
  for (const task of tasks) {
    assert.equal(task.failures, task.attempts);
    const lines = (): string[] =>
      fixture.log.filter((line) => line.includes('claim_unreadable') && line.includes(`"${task.id}"`));
    await until('each attempt is logged', () => lines().length >= task.attempts);
    assert.equal(lines().length, task.attempts, 'each attempt is logged once');
    for (const line of lines()) assert.match(line, /"level":"error".*mashup migrate/);
  }
});

test('a late heartbeat, finish or failure returns why the claim is lost and changes nothing', async () => {
  const id = await fixture.submit(songs);
  const { claim, db } = await claimByHand();
  assert.equal(await heartbeatTask(db, claim, { progress: 0.5, step: 'Listening' }), 'held');
  await sql`update mashup_jobs set stage = 'analyzing' where id = ${id}`;
  const [before] = await sql`select version, epoch, songs from mashup_jobs where id = ${id}`;
  const result = { content_hash: 'x', version: 'v', analysis: {}, card: { bpm: 1 } };
  assert.equal(await heartbeatTask(db, claim, { progress: 0.9 }), 'replayed');
  assert.equal((await finishTask(db, claim, result)).status, 'replayed');
  const fault = { code: 'late', message: 'late', hint: 'late', faultClass: 'permanent' as const };
  assert.equal(await failTask(db, claim, fault), 'replayed');
  const [later] = await sql`select version, epoch, songs from mashup_jobs where id = ${id}`;
  assert.deepEqual(later, before);
  const [analyses] = await sql`select count(*)::int as n from mashup.analyses`;
  assert.equal(analyses?.['n'], 0);
  await sql`select mashup.cancel(${id})`;
  await db.destroy();
});

for (const [operation, run] of [
  ['cancelling', (id: string) => sql`select mashup.cancel(${id})`],
  ['replaying', (id: string) => sql`update mashup_jobs set stage = 'planning' where id = ${id}`],
] as const) {
  test(`${operation} a job aborts its running service call long before the next heartbeat`, async () => {
    await sql`delete from mashup.workers`;
    const worker = await fixture.startWorker();
    const before = services.callsOf('orchestrator').length;
    services.next('orchestrator', 'hang');
    const id = await fixture.submit(songs);
    await until('the planner is called', () => services.callsOf('orchestrator').length > before);
    const call = services.callsOf('orchestrator')[before];
    const ownTime = startOwnTime();
    await run(id);
    await until('the call is aborted', () => call?.abortedAt !== undefined);
    const took = ownTime();
    assert.ok(took < MAX_ABORT_MS, `took ${took} ms`);
    await until('the abort is logged', () =>
      fixture.log.some((line) => line.includes('plan aborted') && line.includes(id)),
    );
    const job = await fixture.untilEnded(id);
    assert.equal(job.stage, operation === 'cancelling' ? 'cancelled' : 'complete');
    await worker.stop();
    const logs = await sql<{ kind: string; line: string }[]>`select kind, line from mashup.read_task_logs(${id})`;
    const lines = logs.filter(({ kind }) => kind === 'plan').map(({ line }) => line);
    const abort = lines.findIndex((line) => line.startsWith('plan aborted: the job was'));
    assert.ok(
      lines.indexOf('plan started') === 0 && abort > 0,
      `the lines are kept with the task: ${lines.join('; ')}`,
    );
    assert.ok(logs.some(({ line }) => line.startsWith('call to orchestrator: ')));
  });
}

test('files of a lost claim are deleted from Storage', async () => {
  const prefix = `stems/${fixture.userId}/job/song/${randomUUID()}`;
  const gone = 'generated/nothing-here.wav';
  const whole = `generated/${randomUUID()}/1-x`;
  for (const path of [`${prefix}/drums.wav`, `${prefix}/bass.wav`, `${whole}.wav`, 'generated/kept.wav'])
    assert.equal((await fixture.bucket.upload(path, wavFile(1))).error, null);
  await sql`insert into mashup.storage_deletions (path, is_prefix) values (${prefix}, true), (${whole}, true)`;
  await sql`insert into mashup.storage_deletions (path) values (${gone})`;
  const worker = await fixture.startWorker({ limits: { deletionIntervalMs: 100 } });
  await until('the outbox is empty', async () => {
    const [row] =
      await sql`select count(*)::int as n from mashup.storage_deletions where path in (${prefix}, ${whole}, ${gone})`;
    return row?.['n'] === 0;
  });
  const rows = await sql`
    select name from storage.objects where starts_with(name, ${prefix}) or starts_with(name, ${whole}) or name = 'generated/kept.wav'`;
  assert.deepEqual(
    rows.map((row) => row['name']),
    ['generated/kept.wav'],
  );
  await worker.stop();
});
