/** A worker that finishes a task goes on with the next one of the same job, where nothing else is to be decided. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { type ClaimedTask, resultOf, useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;

interface Answer {
  status: string;
  next: ClaimedTask | null;
}

async function finishAndClaim(
  task: ClaimedTask,
  token: string = randomUUID(),
  result = resultOf(task),
): Promise<Answer> {
  const [row] = await sql<{ answer: Answer }[]>`
    select mashup.finish_task_and_claim(${task.task_id}, ${task.claim}, ${sql.json(result as never)}, ${token}) as answer`;
  if (!row) throw new Error('no answer');
  return row.answer;
}

/** Submits a job, and claims its second analysis when the first is finished: the next finish makes the task `score`. */
async function jobBeforeScoring(worker: string): Promise<{ id: string; last: ClaimedTask }> {
  const id = await m.submit(await m.user());
  const first = await m.claimNext(worker, id);
  const last = await m.claimNext(worker, id);
  assert.ok(first && last);
  assert.equal((await finishAndClaim(first)).next, null, 'the other analysis runs already');
  return { id, last };
}

/** Number of queue entries of a job, without those of its analyses, which no queue fetched. */
const entriesOf = async (id: string): Promise<number> => {
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from mashup.queue_entries() q join mashup.tasks t on q.key = 'mashup:' || t.id || ':' || t.attempt
    where t.job_id = ${id} and t.kind <> 'analyze'`;
  return row?.n ?? -1;
};

async function end(id: string): Promise<void> {
  await sql`select mashup.cancel(${id})`;
  await sql`delete from mashup.pauses`;
  // The places of the aborted calls are free at once.
  await sql`update mashup.places set held_until = null`;
}

describe('a worker that finishes a task', () => {
  it('runs the rest of a job of two songs without another fetch from the queue', async () => {
    const worker = await m.worker();
    const { id, last } = await jobBeforeScoring(worker);
    const kinds: string[] = [];
    for (let task: ClaimedTask | null = last; task !== null;) {
      const answer: Answer = await finishAndClaim(task);
      assert.equal(answer.status, 'finished');
      task = answer.next;
      if (task) kinds.push(task.kind);
    }
    assert.deepEqual(kinds, ['score', 'plan', 'separate', 'separate', 'render']);
    assert.equal((await m.job(id)).stage, 'complete');
    assert.equal(await entriesOf(id), 0, 'the entries of tasks that were taken over are removed');
  });

  it('gets the same claim again when it repeats the call, and the late repetition changes nothing', async () => {
    const { id, last } = await jobBeforeScoring(await m.worker());
    const token = randomUUID();
    const first = await finishAndClaim(last, token);
    const before = await m.job(id);
    const again = await finishAndClaim(last, token);
    assert.deepEqual([again.status, again.next?.claim, again.next?.kind], ['finished', token, 'score']);
    assert.equal(first.next?.claim, token);
    assert.equal((await finishAndClaim(last)).status, 'lost', 'another token finds nothing');
    assert.deepEqual(await m.job(id), before);
    await end(id);
  });

  it('gives back by its token a task whose claim it never received; another worker gets it', async () => {
    const worker = await m.worker();
    const { id, last } = await jobBeforeScoring(worker);
    const token = randomUUID();
    assert.equal((await finishAndClaim(last, token)).next?.kind, 'score');
    await sql`select mashup.return_claims(${worker}, ${[token]}::uuid[])`;
    assert.equal((await m.claimNext(await m.worker(), id))?.kind, 'score');
    await end(id);
  });

  for (const [reason, prepare] of [
    ['it is stopping', (worker: string) => sql`update mashup.workers set draining = true where id = ${worker}`],
    ['it runs a task alone', (worker: string) => sql`update mashup.workers set solo_task = 1 where id = ${worker}`],
    ['anything is paused', () => sql`select mashup.pause('kind', 'render')`],
    [
      'the circuit of the service is open',
      () =>
        sql`update mashup.service_health set state = 'open', failures = 5, opens = 1, retry_at = mashup.now() + interval '1 minute' where service = 'scoring'`,
    ],
    [
      'tasks return after an outage',
      () =>
        sql`update mashup.service_health set last_error = 'gone', updated_at = mashup.now() where service = 'scoring'`,
    ],
    [
      'an older task waits for a place',
      () => sql`update mashup.settings set value = value || '{"scoring": 0}' where name = 'service_limits'`,
    ],
  ] as const) {
    it(`does not go on with the next task while ${reason}`, async () => {
      const worker = await m.worker();
      const { id, last } = await jobBeforeScoring(worker);
      await prepare(worker);
      const { next, status } = await finishAndClaim(last);
      assert.equal(status, 'finished');
      // Its songs may be separated meanwhile.
      assert.notEqual(next?.kind, 'score');
      assert.equal((await m.job(id)).stage, 'scoring');
      await sql`update mashup.service_health set state = 'closed', failures = 0, opens = 0, retry_at = null, last_error = null`;
      await sql`update mashup.settings set value = value || '{"scoring": 4}' where name = 'service_limits'`;
      await end(id);
    });
  }

  it('gets no task whose queue entry another worker has fetched', async () => {
    const id = await m.submit(await m.user());
    const worker = await m.worker();
    const first = await m.claimNext(worker, id);
    assert.ok(first);
    await sql`update mashup_queue._private_jobs set locked_at = now(), locked_by = 'another'`;
    assert.equal((await finishAndClaim(first)).next, null);
    await sql`update mashup_queue._private_jobs set locked_at = null, locked_by = null`;
    await end(id);
  });

  it('gets no task that lost a worker', async () => {
    const id = await m.submit(await m.user());
    const first = await m.claimNext(await m.worker(), id);
    assert.ok(first);
    await sql`update mashup.tasks set crashes = 1 where job_id = ${id} and state = 'ready'`;
    assert.equal((await finishAndClaim(first)).next, null);
    await end(id);
  });

  it('keeps what it finished if a trigger of an integrator refuses the start of the next task', async () => {
    const { id, last } = await jobBeforeScoring(await m.worker());
    await sql.unsafe(`
      create function public.refuse_start() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse_start before update on mashup.tasks for each row when (old.state = 'waiting' and new.state = 'running')
        execute function public.refuse_start()`);
    assert.deepEqual(await finishAndClaim(last), { status: 'finished', next: null });
    assert.equal((await m.job(id)).stage, 'scoring');
    assert.equal((await m.ready(id)).filter(({ kind }) => kind === 'score').length, 1, 'it is dispatched instead');
    await sql.unsafe('drop trigger refuse_start on mashup.tasks; drop function public.refuse_start()');
    await end(id);
  });
});

describe('places at a service', () => {
  it('that do not agree with the tasks are repaired by the sweep', async () => {
    const id = await m.submit(await m.user());
    await sql`update mashup.places set task_id = 123456789 where service = 'scoring'`;
    await sql`update mashup.places set task_id = null where service = 'analysis'`;
    await sql`update mashup.maintenance_runs set done_at = '-infinity' where name = 'reconcile'`;
    await m.sweep();
    const [row] = await sql`select
      (select count(*)::int from mashup.places where service = 'scoring' and task_id is not null) as scoring,
      (select count(*)::int from mashup.places p join mashup.tasks t on t.id = p.task_id and t.place = p.n where p.service = 'analysis') as analysis`;
    assert.deepEqual({ ...row }, { scoring: 0, analysis: 2 });
    await end(id);
  });

  it('follow the setting: a lower limit lets running tasks end and starts none until then', async () => {
    const id = await m.submit(await m.user());
    const [one, two] = [await m.claimNext(await m.worker(), id), await m.claimNext(await m.worker(), id)];
    assert.ok(one && two);
    await sql`update mashup.settings set value = value || '{"analysis": 1}' where name = 'service_limits'`;
    const other = await m.submit(await m.user());
    assert.equal((await m.ready(other)).length, 0);
    await m.finish(one);
    assert.equal((await m.ready(other)).length, 0, 'one of one place is taken');
    await m.finish(two);
    await m.sweep();
    assert.equal((await m.ready(other)).length, 1);
    await sql`update mashup.settings set value = value || '{"analysis": 2}' where name = 'service_limits'`;
    assert.equal((await m.ready(other)).length, 2);
    await end(other);
    await end(id);
  });
});

describe('admission', () => {
  it('is never waited for by a submission; a worker that is told admits the job', async () => {
    const holder = postgres(m.url, { max: 1, onnotice: () => {} });
    const listener = postgres(m.url, { max: 1, onnotice: () => {} });
    const { promise: told, resolve } = Promise.withResolvers<string>();
    await listener.listen('mashup_tasks', (payload) => payload.includes('admit') && resolve(payload));
    await holder`select pg_advisory_lock(hashtext('mashup.admit'))`;
    const id = await m.submit(await m.user());
    assert.equal((await m.job(id)).stage, 'queued');
    assert.deepEqual(JSON.parse(await told), { admit: true });
    await holder`select pg_advisory_unlock_all()`;
    await sql`select mashup.admit_waiting()`;
    assert.equal((await m.job(id)).stage, 'analyzing');
    await end(id);
    await Promise.all([holder.end(), listener.end()]);
  });

  it('by two transactions at one time gives each slot once', async (t) => {
    const [first, second] = [1, 2].map(() => postgres(m.url, { max: 1, onnotice: () => {} }));
    assert.ok(first && second);
    t.after(() => Promise.all([first.end(), second.end()]));
    const setSlots = (tx: postgres.Sql | postgres.TransactionSql, slots: number) =>
      tx`update mashup.settings set value = ${tx.json(slots)} where name = 'max_running_jobs'`;
    const [slots] = await sql<{ value: number }[]>`select value from mashup.settings where name = 'max_running_jobs'`;
    await setSlots(sql, 0);
    const ids = [await m.submit(await m.user()), await m.submit(await m.user())];
    // A transaction of this level schedules nothing: the slot stays free.
    await sql.begin('isolation level repeatable read', (tx) => setSlots(tx, 1));
    await first`begin`;
    await first`select mashup.admit_waiting()`;
    let isDone = false;
    const late = second`select mashup.admit_waiting()`.then(() => (isDone = true));
    for (let waits = 0; waits === 0 && !isDone;) {
      const [row] = await sql`select count(*)::int as waits from pg_locks where locktype = 'advisory' and not granted`;
      waits = row?.waits;
    }
    await first`commit`;
    await late;
    const stages = await Promise.all(ids.map(async (id) => (await m.job(id)).stage));
    assert.deepEqual(stages, ['analyzing', 'queued']);
    await setSlots(sql, slots?.value ?? 0);
    for (const id of ids) await end(id);
  });
});
