/** Lists of jobs by filter, and operations on all jobs of a filter: what a preview shows is what an operation hits. */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import type postgres from 'postgres';
import { useMachine } from './state-machine-fixture.ts';

interface Page {
  jobs: { id: string; at: string; stage: string; email: string }[];
  next: { time: string; id: string } | null;
}

const m = await useMachine({ after });
const worker = await m.worker();
await m.sql`update mashup.settings set value = '100' where name like 'max_%jobs%'`;
await m.sql`update mashup.settings set value = '{"analysis": 100}' where name = 'service_limits'`;

const users = [await m.user(), await m.user()] as const;

async function failed(user: string, code: string): Promise<string> {
  const id = await m.submit(user, 2);
  const task = await m.claimNext(worker, id);
  assert.ok(task);
  await m.fail(task, 'permanent', code);
  return id;
}

const damaged = [await failed(users[0], 'audio_damaged'), await failed(users[1], 'audio_damaged')];
const silent = await failed(users[0], 'audio_silent');
const live = await m.submit(users[1], 2);
await m.sql`update public.mashup_jobs set title = 'Purple Rain over Ænima (live)' where id = ${silent}`;
await m.sql`update public.mashup_jobs set finished_at = finished_at - interval '3 hours' where id = ${damaged[0] ?? ''}`;

async function find(filter: object): Promise<string[]> {
  const rows = await m.sql<
    { id: string }[]
  >`select id from mashup.find_jobs(${m.sql.json(filter as postgres.JSONValue)})`;
  return rows.map(({ id }) => id).sort();
}

async function page(filter: object, max: number, before?: Page['next']): Promise<Page> {
  const [row] = await m.sql<{ page: Page }[]>`
    select public.operator_jobs(${m.sql.json(filter as postgres.JSONValue)}, ${max}, ${before?.time ?? null}, ${before?.id ?? null}) as page`;
  assert.ok(row);
  return row.page;
}

for (const [what, filter, expected] of [
  ['stage', { stage: 'failed' }, [...damaged, silent]],
  ['live jobs', { stage: 'live' }, [live]],
  ['ended jobs', { stage: 'ended' }, [...damaged, silent]],
  ['error', { error: 'audio_silent' }, [silent]],
  ['user', { user: users[1] }, [damaged[1], live]],
  ['e-mail of the user', { user: `${users[0].toUpperCase()}@example.test` }, [damaged[0], silent]],
  ['the stage in which they stopped', { stopped: 'analyzing' }, [...damaged, silent]],
  ['service', { service: 'analysis' }, [...damaged, silent, live]],
  ['another service', { service: 'processing' }, []],
  ['hours', { hours: 1 }, [damaged[1], silent, live]],
  ['time', { until: new Date(Date.now() - 3_600_000).toISOString() }, [damaged[0]]],
  ['words of the title', { text: 'rain purp' }, [silent]],
  ['words of the error', { text: 'DAMAGED' }, damaged],
  ['names of songs, also of live jobs', { text: 'song 2', stage: 'live' }, [live]],
  ['the start of an id', { text: silent.slice(0, 13) }, [silent]],
  ['several at once', { stage: 'failed', user: users[0], error: 'audio_damaged' }, [damaged[0]]],
  ['words that no job has', { text: "'); drop table x; --" }, []],
] as const) {
  it(`jobs are filtered by ${what}`, async () => {
    assert.deepEqual(await find(filter), ([...expected] as string[]).sort());
  });
}

it('a filter that cannot be is refused with what can', async () => {
  for (const [filter, message] of [
    [{ stage: 'nope' }, /no stage "nope"/],
    [{ user: 'somebody' }, /filter user cannot be "somebody"/],
    [{ user: 'nobody@example.test' }, /no account with the e-mail/],
    [{ since: 'yesterdayish' }, /filter since cannot be/],
    [{ hours: -1 }, /filter hours/],
    [{ service: 'radio' }, /no service "radio"/],
    [{ colour: 'blue' }, /not filtered by "colour"/],
  ] as const) {
    await assert.rejects(find(filter), { code: 'MB006', message });
  }
});

it('pages follow each other without a gap or a repetition, the latest first', async () => {
  const whole = await page({}, 50);
  assert.equal(whole.next, null);
  const seen: string[] = [];
  let next: Page['next'] | undefined;
  do {
    const one: Page = await page({}, 2, next);
    seen.push(...one.jobs.map(({ id }) => id));
    next = one.next;
  } while (next);
  assert.deepEqual(
    seen,
    whole.jobs.map(({ id }) => id),
  );
  assert.equal(seen.at(-1), damaged[0], 'the one that ended first');
});

it('a preview counts what a bulk operation then hits, batch by batch, with the reason of each refusal', async () => {
  const filter = { text: 'song', hours: 1000 };
  const [row] = await m.sql<
    { p: { jobs: number; users: number; by_stage: object[]; by_user: object[]; first: object[] } }[]
  >`
    select public.operator_preview(${m.sql.json(filter)}) as p`;
  assert.deepEqual([row?.p.jobs, row?.p.users, row?.p.first.length], [4, 2, 4]);
  assert.deepEqual(row?.p.by_stage, [
    { stage: 'failed', jobs: 3 },
    { stage: 'analyzing', jobs: 1 },
  ]);
  const outcomes: { id: string; outcome: string; message: string | null }[] = [];
  let next: string | null = null;
  do {
    const [batch]: { b: { outcomes: typeof outcomes; after: string | null } }[] = await m.sql`
      select public.operator_bulk('retry', ${m.sql.json(filter)}, max_jobs => 3, after_id => ${next}) as b`;
    assert.ok(batch);
    outcomes.push(...batch.b.outcomes);
    next = batch.b.after;
  } while (next !== null);
  assert.deepEqual(outcomes.map(({ id }) => id).sort(), [...damaged, silent, live].sort());
  const refused = outcomes.filter(({ outcome }) => outcome === 'refused');
  assert.deepEqual([refused.length, refused[0]?.id], [1, live]);
  assert.match(refused[0]?.message ?? '', /nothing to retry/);
  assert.deepEqual(await find({ stage: 'failed' }), []);
  await assert.rejects(m.sql`select public.operator_bulk('cancel', ${m.sql.json({ until: '2030-01-01' })})`, {
    code: 'MB006',
    message: /needs a filter/,
  });
});

it('the history of a job has the attempts of its tasks, and what they made is read on demand', async () => {
  const task = await m.claimNext(worker, live);
  assert.ok(task);
  await m.sql`select mashup.write_task_logs(${worker}, ${m.sql.json([
    { task: task.task_id, claim: task.claim, age_sec: 1, level: 'info', line: 'analyze started', fields: {} },
    { task: task.task_id, claim: task.claim, age_sec: 0, level: 'warn', line: 'slow', fields: {} },
  ])})`;
  const [row] = await m.sql<{ h: { tasks: { id: number; attempts: object[]; service: string }[]; email: string } }[]>`
    select public.operator_job_history(${live}) as h`;
  const found = row?.h.tasks.find(({ id }) => id === Number(task.task_id));
  assert.equal(row?.h.email, `${users[1]}@example.test`);
  assert.equal(found?.service, 'analysis');
  const [attempt] = found.attempts as Record<string, unknown>[];
  assert.deepEqual(
    [attempt?.claim, attempt?.worker_id, attempt?.host, attempt?.until, attempt?.lines, attempt?.level],
    [task.claim, worker, 'test', null, 2, 'warn'],
  );
  await m.finish(task);
  const [payload] = await m.sql<{ p: { task: { kind: string }; made: { analysis: object } } }[]>`
    select public.operator_task_payload(${task.task_id}) as p`;
  assert.equal(payload?.p.task.kind, 'analyze');
  assert.ok(payload.p.made.analysis);
});

it('a service that answers with faults, is silent or is paused is not available', async () => {
  const conditionOf = async (): Promise<string> => {
    const [row] = await m.sql<
      { condition: string }[]
    >`select condition from mashup.circuits where service = 'analysis'`;
    return row?.condition ?? '';
  };
  await m.sql`update mashup.tasks set run_at = mashup.now()`;
  await m.sweep();
  await m.sql`select mashup.report_service_check('analysis')`;
  assert.equal(await conditionOf(), 'available');
  const task = await m.claimNext(worker);
  assert.ok(task);
  await m.fail(task, 'transient', 'service_failed');
  assert.equal(await conditionOf(), 'failing');
  await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
  await m.sweep();
  const next = await m.claimNext(worker);
  assert.ok(next);
  await m.sql`update mashup.tasks set heard_at = heard_at - interval '1 hour' where id = ${next.task_id}`;
  assert.equal(await conditionOf(), 'silent');
  for (const [scope, key] of [
    ['service', 'analysis'],
    ['kind', 'analyze'],
    ['system', ''],
  ] as const) {
    await m.sql`select mashup.pause(${scope}, ${key})`;
    assert.equal(await conditionOf(), 'paused', scope);
    await m.sql`select mashup.resume(${scope}, ${key})`;
  }
  await m.finish(next);
  assert.equal(await conditionOf(), 'available');
});

it('a call that is silent for longer than ever expected is shown before enough of its kind are measured', async () => {
  const [task] = await m.sql<{ id: string }[]>`
    select id from mashup.tasks where kind = 'analyze' and state in ('waiting', 'ready') limit 1`;
  const isSilentAfter = async (seconds: number): Promise<unknown> => {
    const [row] = await m.sql`
      select mashup.is_silent(jsonb_populate_record(t, jsonb_build_object('silence_sec', 300,
        'heard_at', mashup.now() - make_interval(secs => ${seconds})))) as silent from mashup.tasks t where t.id = ${task?.id ?? ''}`;
    return row?.silent;
  };
  // A song of unknown length counts as the longest one, of 15 minutes: expected to take 19 s, and silent after four times as long.
  await m.sql`update mashup.stage_stats set samples = 1, base_sec = 1, per_song_sec = 0.02 where kind = 'analyze'`;
  assert.deepEqual([await isSilentAfter(61), await isSilentAfter(80), await isSilentAfter(151)], [false, true, true]);
});

it('words that very many jobs have select the same jobs as rare ones would', async () => {
  const user = await m.user();
  await m.sql.begin(async (tx) => {
    // No triggers: rows of ended jobs are wanted as they are.
    await tx`alter table mashup_jobs disable trigger user`;
    await tx`
      insert into mashup_jobs (user_id, stage, status, songs, title, created_at, finished_at)
        select ${user}::uuid, 'cancelled', 'cancelled', '[{"song_id": "a", "name": "A", "artist": "B"}]', 'Common thread ' || n,
          now() - make_interval(secs => n), now() - make_interval(secs => n) from generate_series(1, 2100) n`;
    await tx`update mashup_jobs set title = 'Common as well' where id = ${live}`;
    await tx`alter table mashup_jobs enable trigger user`;
  });
  const count = async (filter: object): Promise<number> => {
    const [row] = await m.sql<{ n: number }[]>`
      select (mashup.preview_jobs(${m.sql.json(filter as postgres.JSONValue)}) ->> 'jobs')::int as n`;
    return row?.n ?? -1;
  };
  assert.equal(await count({ text: 'common' }), 2101);
  assert.equal(await count({ text: 'common', stage: 'ended' }), 2100);
  assert.equal(await count({ text: 'thread comm 2100' }), 1);
  assert.deepEqual(await find({ text: 'common', stage: 'live' }), [live]);
  assert.deepEqual(await find({ text: 'common', user: users[1] }), [live]);
  const first = await page({ text: 'common', stage: 'ended' }, 2);
  assert.deepEqual(
    first.jobs.map((job) => (job as { title?: string }).title),
    ['Common thread 1', 'Common thread 2'],
  );
});

it('a time without a zone is one of the session, under any DateStyle', async () => {
  await m.sql.begin(async (tx) => {
    await tx`set local datestyle = 'sql, dmy'`;
    await tx`set local timezone = 'Asia/Kolkata'`;
    const [row] = await tx`select mashup.check_job_filter('{"since": "30/11/2026 12:00"}') ->> 'since' as since`;
    assert.equal(row?.since, '2026-11-30T12:00:00+05:30');
    const [later] =
      await tx`select mashup.check_job_filter(mashup.check_job_filter('{"since": "30/11/2026 12:00"}')) ->> 'since' as since`;
    assert.equal(later?.since, '2026-11-30T12:00:00+05:30');
  });
});

it('the attempts of a lost worker are in the history, also if it has written no line', async () => {
  const doomed = await m.worker();
  const id = await m.submit(users[0], 2);
  const task = await m.claimNext(doomed, id);
  assert.ok(task);
  await m.sql`update mashup.tasks set started_at = started_at - interval '40 seconds' where id = ${task.task_id}`;
  await m.sql`update mashup.workers set seen_at = seen_at - interval '1 hour' where id = ${doomed}`;
  await m.sql`update mashup.tasks set lease_until = mashup.now() - interval '1 second' where id = ${task.task_id}`;
  await m.sweep();
  const attempts = async (): Promise<Record<string, unknown>[]> => {
    const [row] = await m.sql<{ a: Record<string, unknown>[] }[]>`
      select mashup.task_attempts(t) as a from mashup.tasks t where t.id = ${task.task_id}`;
    return row?.a ?? [];
  };
  const [lost, ...none] = await attempts();
  assert.equal(none.length, 0);
  assert.deepEqual([lost?.worker_id, lost?.lost, lost?.claim, lost?.lines], [doomed, true, null, 0]);
  assert.ok(Date.parse(String(lost?.until)) - Date.parse(String(lost?.from)) >= 40_000);
  await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
  await m.sweep();
  // The task of the other song may come first.
  const claimed = [await m.claimNext(worker, id), await m.claimNext(worker, id)];
  assert.ok(claimed.some((one) => one?.task_id === task.task_id));
  assert.deepEqual(
    (await attempts()).map((one) => [one.worker_id, one.lost]),
    [
      [doomed, true],
      [worker, false],
    ],
  );
});
