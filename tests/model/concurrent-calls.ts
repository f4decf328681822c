/** Everything that takes locks, called concurrently: nothing may deadlock, and no job may be lost or stuck. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { REPLAY_STAGES } from '../../schema/stages.ts';
import { type CleanUpScope } from '../support/postgres.ts';
import { type ClaimedTask, resultOf, useMachine } from '../state-machine/state-machine-fixture.ts';
import { installChecks } from './invariants.ts';

const CONNECTIONS = 16;
/** More than connections: some calls wait for one. */
const CALLERS = 20;
const USERS = 4;
/** Time for the remaining jobs to end after the calls. */
const FINISH_MS = 60_000;

interface Calls {
  sql: postgres.Sql;
  users: string[];
  workers: string[];
  done: Map<string, number>;
}

const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** Settings for many concurrent calls: fewer slots than jobs, short back-offs, short waits of circuits. */
const DENSE = `
  update mashup.settings set value = '12' where name = 'max_running_jobs';
  update mashup.settings set value = '4' where name = 'max_running_jobs_per_user';
  update mashup.settings set value = '100000' where name in ('max_submits_per_minute', 'max_shares_per_minute', 'max_queued_jobs_per_user', 'circuit_failures');
  update mashup.settings set value = '{"analysis": 8, "scoring": 8, "orchestrator": 8, "separation": 8, "processing": 8}' where name = 'service_limits';
  update mashup.settings set value = '{}' where name = 'service_abort_hold_sec';
  update mashup.settings set value = '6' where name = 'circuit_failures';
  update mashup.settings set value = '0.2' where name in ('circuit_open_sec', 'circuit_open_max_sec', 'reconcile_sec', 'service_check_sec', 'service_recheck_sec');
  update mashup.settings set value = '0' where name in ('progress_min_interval_sec', 'progress_min_step');
  update mashup.task_kinds set backoff_sec = 0.02, backoff_max_sec = 0.1`;

async function anyJob({ sql }: Calls): Promise<{ id: string; user_id: string } | undefined> {
  const [row] = await sql<
    { id: string; user_id: string }[]
  >`select id, user_id from public.mashup_jobs order by random() limit 1`;
  return row;
}

async function claimAny({ sql, workers }: Calls): Promise<ClaimedTask | undefined> {
  const [row] = await sql<{ answer: ClaimedTask | { status: 'gone' | 'deferred' } }[]>`
    select mashup.claim_task(t.id, t.attempt, ${any(workers)}) as answer
    from (select id, attempt from mashup.tasks where state = 'ready' order by random() limit 1) t`;
  return row?.answer.status === 'claimed' ? row.answer : undefined;
}

/** Finishes a task and those that are handed over after it. Sometimes the answer is lost, and the worker gives the claim back. */
async function workOn(sql: postgres.Sql, first: ClaimedTask): Promise<void> {
  for (let task: ClaimedTask | null = first; task;) {
    const token = randomUUID();
    const [row]: { answer: { next: ClaimedTask | null } }[] = await sql<{ answer: { next: ClaimedTask | null } }[]>`
      select mashup.finish_task_and_claim(${task.task_id}, ${task.claim}, ${sql.json(resultOf(task) as never)}, ${token}) as answer`;
    task = row?.answer.next ?? null;
    if (task && Math.random() < 0.1) {
      await sql`select mashup.return_claims(w.id, ${[token]}::uuid[]) from mashup.workers w`;
      return;
    }
  }
}

/** Reports that the stems of some songs of a task are missing. */
async function missStems(sql: postgres.Sql, { task_id, claim, songs }: ClaimedTask): Promise<void> {
  const missing = songs.filter(() => Math.random() < 0.7).map((song) => song.song_id);
  await sql`select mashup.report_missing_stems(${task_id}, ${claim}, array(
    select (s ->> 'stems_id')::bigint from mashup.tasks t join public.mashup_jobs j on j.id = t.job_id, jsonb_array_elements(j.songs) s
    where t.id = ${task_id} and s ->> 'song_id' = any (${missing}) and s ->> 'stems_id' is not null))`;
}

const CALLS: Record<string, (calls: Calls) => Promise<unknown>> = {
  async work(calls) {
    const task = await claimAny(calls);
    if (!task) return;
    const { sql, workers } = calls;
    for (const part of [0.3, 0.6])
      await sql`select mashup.heartbeat_task(${task.task_id}, ${task.claim}, ${part}, ${`at ${part}`})`;
    if (task.kind === 'render')
      await sql`select mashup.publish_playable(${task.task_id}, ${task.claim}, jsonb_build_object('path', t.output_prefix || '.parts',
        'sample_rate', 44100, 'total_frames', 9000, 'ends', jsonb_build_array(1000))) from mashup.tasks t where t.id = ${task.task_id}`;
    await sql`select mashup.write_task_logs(${any(workers)}, ${sql.json([
      { task: Number(task.task_id), claim: task.claim, age_sec: 0, level: 'info', line: 'It runs.', fields: {} },
    ])})`;
    const chance = Math.random();
    if (task.kind === 'render' && chance < 0.1) await missStems(sql, task);
    else if (chance < 0.5) await workOn(sql, task);
    else if (chance < 0.75)
      await sql`select mashup.finish_task(${task.task_id}, ${task.claim}, ${sql.json(resultOf(task) as never)})`;
    else if (chance < 0.8) await sql`select mashup.return_task(${task.task_id}, ${task.claim})`;
    else if (chance < 0.98) {
      const kind = any(['transient', 'unavailable', 'overloaded', 'refused', 'permanent']);
      await sql`select mashup.fail_task(${task.task_id}, ${task.claim}, 'test_fault', 'It went wrong.', 'Try again.', ${kind},
        p_service => ${any([null, 'storage'])})`;
    }
  },
  async replay(calls) {
    const job = await anyJob(calls);
    if (job) await calls.sql`update public.mashup_jobs set stage = ${any(REPLAY_STAGES)} where id = ${job.id}`;
  },
  async operations(calls) {
    const job = await anyJob(calls);
    if (!job) return;
    const name = any(['cancel', 'retry', 'start']);
    await calls.sql`select (${calls.sql.unsafe(`mashup.${name}`)}(${job.id})).id`;
  },
  async submit(calls) {
    const user = any(calls.users);
    const [room] = await calls.sql`select count(*)::int as n from public.mashup_jobs where status = 'processing'`;
    if (room?.n > 30) return;
    await asUser(calls, user, (tx) => submitSongs(tx, user));
  },
  async user(calls) {
    const job = await anyJob(calls);
    if (!job) return;
    const call = any(['iterate', 'edit', 'cancel', 'retry', 'replay', 'delete', 'share', 'unshare', 'stems']);
    await asUser(calls, job.user_id, (tx) =>
      call === 'iterate'
        ? tx`select public.iterate_mashup(${job.id}, 'louder')`
        : call === 'edit'
          ? tx`select public.edit_mashup(${job.id}, ${tx.json({ plan_version: 1, edits: [{ kind: 'swap_songs' }] })})`
          : call === 'replay'
            ? tx`select public.replay_mashup(${job.id}, ${any(REPLAY_STAGES)}, true)`
            : call === 'stems'
              ? tx`select public.request_mashup_stems(${job.id})`
              : tx`select ${tx.unsafe(`public.${call}_mashup`)}(${job.id})`,
    );
  },
  read: ({ sql }) =>
    sql`select public.read_share((select token from public.mashup_shares order by random() limit 1), 'mashup', '203.0.113.1')`,
  async takeDown(calls) {
    const job = await anyJob(calls);
    if (!job) return;
    const call = any(['take_down', 'take_down_share']);
    await calls.sql`select (${calls.sql.unsafe(`mashup.${call}`)}(${job.id}, 'A test')).id`;
    await calls.sql`select (${calls.sql.unsafe(`mashup.lift_${call === 'take_down' ? call : 'share_take_down'}`)}(${job.id})).id`;
  },
  async outboxes({ sql }) {
    const files = await sql<{ id: string }[]>`select id from mashup.claim_storage_deletions(20)`;
    await sql`select mashup.complete_storage_deletions(${files.map(({ id }) => id)}::bigint[])`;
    for (const { seq } of await sql<{ seq: string }[]>`select seq from mashup.claim_outgoing_events(5)`)
      await sql`select mashup.complete_outgoing_event(${seq}, ${any([null, 'It was refused.'])})`;
  },
  models: ({ sql }) =>
    any([true, false])
      ? sql`select mashup.report_separation_models('bands', 'neural', ${any(['bands', 'neural'])})`
      : sql`select mashup.report_separation_models(null, null, null)`,
  async checks({ sql }) {
    const [row] = await sql<{ services: string[] }[]>`select mashup.services_to_check() as services`;
    for (const service of row?.services ?? [])
      await sql`select mashup.report_service_check(${service}, ${any([null, 'It does not answer.'])})`;
  },
  sweep: ({ sql }) => sql`select mashup.sweep()`,
  admission: ({ sql }) => sql`select mashup.admit_waiting()`,
  /** Checks the invariants that always hold. */
  async invariants({ sql }) {
    const [row] = await sql`select model.check(false, false) as broken`;
    assert.deepEqual(row?.broken, []);
  },
  bulk: ({ sql, users }) =>
    sql`select * from mashup.bulk(${any(['retry', 'cancel', 'replay'])}, ${any(['failed', 'cancelled', 'rendering', null])},
      p_user_id => ${any([...users, null])}, p_to_stage => ${any(REPLAY_STAGES)}, p_limit => 8)`,
  async pause({ sql, users }) {
    const [scope, key] = any([
      ['system', ''],
      ['user', any(users)],
      ['kind', 'plan'],
      ['service', 'separation'],
      ['service', 'storage'],
    ]) as [string, string];
    await sql`select mashup.pause(${scope}, ${key})`;
    await sql`select mashup.resume(${scope}, ${key})`;
  },
  async workers(calls) {
    const worker = any(calls.workers);
    await calls.sql`select mashup.deregister_worker(${worker})`;
    await register(calls.sql, worker);
  },
  async remove(calls) {
    const user = any(calls.users);
    const next = randomUUID();
    await calls.sql`insert into auth.users (id, email) values (${next}, ${`${next}@example.test`})`;
    calls.users = [...calls.users.filter((id) => id !== user), next];
    await calls.sql`delete from auth.users where id = ${user}`;
  },
};
/** Calls of which only one is made at a time: a worker does not register and deregister at once, and the checks write what they saw. */
const ALONE = ['invariants', 'workers'] as const;
/** How often each call is made, so that jobs come to their end although all is done to them. The calls of ALONE are made by one caller each. */
const WEIGHTS: Record<Exclude<keyof typeof CALLS, (typeof ALONE)[number]>, number> = {
  work: 200,
  sweep: 20,
  submit: 20,
  user: 20,
  read: 10,
  checks: 10,
  admission: 10,
  outboxes: 6,
  pause: 4,
  models: 4,
  replay: 4,
  operations: 4,
  bulk: 2,
  takeDown: 2,
  remove: 1,
};
const WEIGHTED = Object.entries(WEIGHTS).flatMap(([name, weight]) => Array<string>(weight).fill(name));

const register = (sql: postgres.Sql, id: string) =>
  sql`select mashup.register_worker(${id}, 'test', 1, ${BigInt(`0x${id.slice(0, 8)}`).toString()}, 'test', 9, '{}', '{}', mashup.protocol_version())`;

function asUser(calls: Calls, user: string, call: (tx: postgres.TransactionSql) => Promise<unknown>): Promise<unknown> {
  return calls.sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: user, role: 'authenticated' })}, true)`;
    await call(tx);
  });
}

async function submitSongs(tx: postgres.TransactionSql, user: string): Promise<void> {
  const songs = [1, 2, 3].map((n) => ({
    song_id: `s${n}`,
    name: `Song ${n}`,
    storage_path: `uploads/${user}/${randomUUID()}`,
  }));
  for (const song of songs) {
    await tx`insert into storage.objects (bucket_id, name, owner_id, metadata)
      values ('mashups', ${song.storage_path}, ${user}, ${tx.json({ size: 9, eTag: randomUUID() })})`;
  }
  await tx`select public.submit_mashup(${tx.json(songs)}, '{}', ${any([null, null, 'planning'])})`;
}

/**
 * Makes concurrent calls for some seconds, lets all jobs end, and asserts that nothing deadlocked and no invariant is broken.
 * @param mutate changes the schema first
 */
export async function runConcurrentCalls(
  scope: CleanUpScope,
  seconds: number,
  mutate?: (sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  const m = await useMachine(scope);
  await mutate?.(m.sql);
  await installChecks(m.sql);
  await m.sql.unsafe(DENSE);
  const sql = postgres(m.url, {
    max: CONNECTIONS,
    onnotice: () => {},
    connection: { application_name: 'concurrent-calls' },
  });
  const users = await Promise.all(Array.from({ length: USERS }, () => m.user()));
  const workers = Array.from({ length: 4 }, () => randomUUID());
  await Promise.all(workers.map((id) => register(sql, id)));
  const state: Calls = { sql, users, workers, done: new Map() };
  const faults = new Map<string, string>();
  const until = performance.now() + seconds * 1_000;
  const callOften = async (names: string[]): Promise<void> => {
    while (performance.now() < until) {
      const name = any(names);
      try {
        await CALLS[name]?.(state);
        state.done.set(name, (state.done.get(name) ?? 0) + 1);
      } catch (error) {
        const { code, message, detail, where } = error as postgres.PostgresError;
        // Refusals are expected. So is a foreign key violation: the user of a submission, or the job of a claim, was deleted.
        if (!/^MB\d{3}$/.test(code ?? '') && code !== '23503')
          faults.set(code ?? 'none', `${name}: ${message} ${detail ?? ''} ${where ?? ''}`);
      }
    }
  };
  try {
    await Promise.all([
      ...ALONE.map((name) => callOften([name])),
      ...Array.from({ length: CALLERS }, () => callOften(WEIGHTED)),
    ]);
    await finishAll(state);
    const [row] = await sql`select model.check(true, true) as broken`;
    assert.deepEqual(row?.broken, []);
  } finally {
    await sql.end({ timeout: 5 });
  }
  const [stats] = await m.sql`select deadlocks::int from pg_stat_database where datname = current_database()`;
  console.log(
    `${[...state.done].map(([name, count]) => `${name} ${count}`).join(', ')}; deadlocks ${stats?.deadlocks}`,
  );
  assert.deepEqual([...faults], []);
  assert.equal(stats?.deadlocks, 0);
}

/** Without further faults, every job that does not wait for its user must end. */
async function finishAll(state: Calls): Promise<void> {
  const { sql } = state;
  await sql`delete from mashup.pauses`;
  for (const worker of state.workers) await register(sql, worker);
  const until = performance.now() + FINISH_MS;
  for (;;) {
    await sql`update mashup.workers set seen_at = mashup.now()`;
    await sql`update mashup.tasks set lease_until = mashup.now() - interval '1 second' where state = 'running'`;
    await sql`select mashup.sweep()`;
    for (let task = await claimAny(state); task; task = await claimAny(state)) {
      await sql`select mashup.finish_task(${task.task_id}, ${task.claim}, ${sql.json(resultOf(task) as never)})`;
    }
    const left = await sql`select stage, waiting_on, current_step from public.mashup_jobs
      where status = 'processing' and waiting_on is distinct from 'user'`;
    if (left.length === 0) return;
    assert.ok(performance.now() < until, `still there: ${JSON.stringify(left)}`);
  }
}
