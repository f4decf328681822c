/** Everything that takes locks, side by side: nothing may deadlock, nothing may be lost. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { type CleanUpScope } from '../support/postgres.ts';
import { type ClaimedTask, resultOf, useMachine } from '../state-machine/state-machine-fixture.ts';
import { installChecks } from './invariants.ts';

const CONNECTIONS = 16;
const USERS = 4;
const STAGES = ['queued', 'analyzing', 'scoring', 'planning', 'separating', 'rendering'];
/** How long the rest may take to end when the storm is over. */
const CALM_MS = 60_000;

interface Storm {
  sql: postgres.Sql;
  users: string[];
  workers: string[];
  done: Map<string, number>;
}

const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

/** Settings that make a storm dense: many at once, short back-offs, circuits that come back. */
const DENSE = `
  update mashup.settings set value = '12' where name = 'max_running_jobs';
  update mashup.settings set value = '4' where name = 'max_running_jobs_per_user';
  update mashup.settings set value = '100000' where name in ('max_submits_per_minute', 'max_queued_jobs_per_user', 'circuit_failures');
  update mashup.settings set value = '{"analysis": 8, "scoring": 8, "orchestrator": 8, "separation": 8, "processing": 8}' where name = 'service_limits';
  update mashup.settings set value = '{}' where name = 'service_abort_hold_sec';
  update mashup.settings set value = '6' where name = 'circuit_failures';
  update mashup.settings set value = '0.2' where name in ('circuit_open_sec', 'circuit_open_max_sec', 'reconcile_sec');
  update mashup.settings set value = '0' where name in ('progress_min_interval_sec', 'progress_min_step');
  update mashup.task_kinds set backoff_sec = 0.02, backoff_max_sec = 0.1`;

async function anyJob({ sql }: Storm): Promise<{ id: string; user_id: string } | undefined> {
  const [row] = await sql<
    { id: string; user_id: string }[]
  >`select id, user_id from public.mashup_jobs order by random() limit 1`;
  return row;
}

async function claimAny({ sql, workers }: Storm): Promise<ClaimedTask | undefined> {
  const [row] = await sql<{ answer: ClaimedTask | { status: 'gone' | 'deferred' } }[]>`
    select mashup.claim_task(t.id, t.attempt, ${any(workers)}) as answer
    from (select id, attempt from mashup.tasks where state = 'ready' order by random() limit 1) t`;
  return row?.answer.status === 'claimed' ? row.answer : undefined;
}

const ACTORS: Record<string, (storm: Storm) => Promise<unknown>> = {
  async work(storm) {
    const task = await claimAny(storm);
    if (!task) return;
    const { sql } = storm;
    for (const part of [0.3, 0.6])
      await sql`select mashup.heartbeat_task(${task.task_id}, ${task.claim}, ${part}, ${`at ${part}`})`;
    const chance = Math.random();
    if (chance < 0.75)
      await sql`select mashup.finish_task(${task.task_id}, ${task.claim}, ${sql.json(resultOf(task) as never)})`;
    else if (chance < 0.8) await sql`select mashup.return_task(${task.task_id}, ${task.claim})`;
    else if (chance < 0.98) {
      const kind = any(['transient', 'unavailable', 'overloaded', 'permanent']);
      await sql`select mashup.fail_task(${task.task_id}, ${task.claim}, 'test_fault', 'It went wrong.', 'Try again.', ${kind})`;
    }
  },
  async replay(storm) {
    const job = await anyJob(storm);
    if (job) await storm.sql`update public.mashup_jobs set stage = ${any(STAGES)} where id = ${job.id}`;
  },
  async verbs(storm) {
    const job = await anyJob(storm);
    if (!job) return;
    const verb = any(['cancel', 'retry', 'start']);
    await storm.sql`select (${storm.sql.unsafe(`mashup.${verb}`)}(${job.id})).id`;
  },
  async submit(storm) {
    const user = any(storm.users);
    const [room] = await storm.sql`select count(*)::int as n from public.mashup_jobs where status = 'processing'`;
    if (room?.n > 30) return;
    await asUser(storm, user, (tx) => submitSongs(tx, user));
  },
  async tenant(storm) {
    const job = await anyJob(storm);
    if (!job) return;
    const call = any(['iterate', 'cancel', 'retry', 'replay', 'delete']);
    await asUser(storm, job.user_id, (tx) =>
      call === 'iterate'
        ? tx`select public.iterate_mashup(${job.id}, 'louder')`
        : call === 'replay'
          ? tx`select public.replay_mashup(${job.id}, ${any(STAGES)}, true)`
          : tx`select ${tx.unsafe(`public.${call}_mashup`)}(${job.id})`,
    );
  },
  sweep: ({ sql }) => sql`select mashup.sweep()`,
  /** What holds at every moment is asked all the time. */
  async watch({ sql }) {
    const [row] = await sql`select model.check(false, false) as broken`;
    assert.deepEqual(row?.broken, []);
  },
  bulk: ({ sql, users }) =>
    sql`select * from mashup.bulk(${any(['retry', 'cancel', 'replay'])}, ${any(['failed', 'cancelled', 'rendering', null])},
      p_user_id => ${any([...users, null])}, p_to_stage => ${any(STAGES)}, p_limit => 8)`,
  async pause({ sql, users }) {
    const [scope, key] = any([
      ['system', ''],
      ['user', any(users)],
      ['kind', 'plan'],
      ['service', 'separation'],
    ]) as [string, string];
    await sql`select mashup.pause(${scope}, ${key})`;
    await sql`select mashup.resume(${scope}, ${key})`;
  },
  async crew(storm) {
    const worker = any(storm.workers);
    await storm.sql`select mashup.deregister_worker(${worker})`;
    await enlist(storm.sql, worker);
  },
  async remove(storm) {
    if (Math.random() < 0.7) return;
    const user = any(storm.users);
    const next = randomUUID();
    await storm.sql`insert into auth.users (id, email) values (${next}, ${`${next}@example.test`})`;
    storm.users = [...storm.users.filter((id) => id !== user), next];
    await storm.sql`delete from auth.users where id = ${user}`;
  },
};
/** Which actors run at the same time. */
const CAST = [
  ...Array.from({ length: 6 }, () => 'work'),
  ...Object.keys(ACTORS).filter((name) => name !== 'work'),
  'sweep',
];

const enlist = (sql: postgres.Sql, id: string) =>
  sql`select mashup.register_worker(${id}, 'storm', 1, ${BigInt(`0x${id.slice(0, 8)}`).toString()}, 'test', 9, '{}', '{}')`;

function asUser(storm: Storm, user: string, call: (tx: postgres.TransactionSql) => Promise<unknown>): Promise<unknown> {
  return storm.sql.begin(async (tx) => {
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
 * Runs the storm for a while, lets it calm down, and asserts that nothing deadlocked, stuck or broke.
 * @param mutate may change the schema before
 */
export async function storm(
  scope: CleanUpScope,
  seconds: number,
  mutate?: (sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  const m = await useMachine(scope);
  await mutate?.(m.sql);
  await installChecks(m.sql);
  await m.sql.unsafe(DENSE);
  const sql = postgres(m.url, { max: CONNECTIONS, onnotice: () => {}, connection: { application_name: 'storm' } });
  const users = await Promise.all(Array.from({ length: USERS }, () => m.user()));
  const workers = Array.from({ length: 4 }, () => randomUUID());
  await Promise.all(workers.map((id) => enlist(sql, id)));
  const state: Storm = { sql, users, workers, done: new Map() };
  const faults = new Map<string, string>();
  const until = performance.now() + seconds * 1_000;
  const act = async (name: string): Promise<void> => {
    while (performance.now() < until) {
      try {
        await ACTORS[name]?.(state);
        state.done.set(name, (state.done.get(name) ?? 0) + 1);
      } catch (error) {
        const { code, message, detail, where } = error as postgres.PostgresError;
        // Refusals are answers; a user who was deleted meanwhile can submit nothing; a claim may lose its job.
        if (!/^MB\d{3}$/.test(code ?? '') && code !== '23503')
          faults.set(code ?? 'none', `${name}: ${message} ${detail ?? ''} ${where ?? ''}`);
      }
    }
  };
  try {
    await Promise.all(CAST.map(act));
    await calmDown(state);
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

/** No more faults: every job that waits for no user comes to its end. */
async function calmDown(state: Storm): Promise<void> {
  const { sql } = state;
  await sql`delete from mashup.pauses`;
  for (const worker of state.workers) await enlist(sql, worker);
  const until = performance.now() + CALM_MS;
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
