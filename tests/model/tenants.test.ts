/** Attempts of another signed-in user and of an anonymous visitor on one user's mashup, at every entry point. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type postgres from 'postgres';
import { type ClaimedTask, type Machine, useMachine } from '../state-machine/state-machine-fixture.ts';

const STRANGER = '99999999-9999-4999-8999-999999999999';

interface Owned {
  owner: string;
  complete: string;
  draft: string;
  running: ClaimedTask;
  upload: string;
}

/** The expected outcome: a SQLSTATE, or `nothing` (no row is read or changed). */
interface Attempt {
  what: string;
  sql: (mine: Owned) => string;
  stranger: string;
  visitor: string;
}

const DENIED = '42501';
const call = (what: string, sql: (mine: Owned) => string, stranger = 'MB002'): Attempt => ({
  what,
  sql,
  stranger,
  visitor: DENIED,
});
const closed = (what: string, sql: (mine: Owned) => string): Attempt => ({
  what,
  sql,
  stranger: DENIED,
  visitor: DENIED,
});
const empty = (what: string, sql: (mine: Owned) => string): Attempt => ({
  what,
  sql,
  stranger: 'nothing',
  visitor: DENIED,
});

const ATTEMPTS: Attempt[] = [
  call('start', (m) => `select public.start_mashup('${m.draft}')`),
  call('cancel', (m) => `select public.cancel_mashup('${m.running.job_id}')`),
  call('retry', (m) => `select public.retry_mashup('${m.complete}')`),
  call('replay', (m) => `select public.replay_mashup('${m.complete}', 'planning')`),
  call('replay afresh', (m) => `select public.replay_mashup('${m.complete}', 'analyzing', true)`),
  call('iterate', (m) => `select public.iterate_mashup('${m.complete}', 'mine now')`),
  call(
    'edit',
    (m) => `select public.edit_mashup('${m.complete}', '{"plan_version": 1, "edits": [{"kind": "swap_songs"}]}')`,
  ),
  call('delete', (m) => `select public.delete_mashup('${m.complete}')`),
  call('read analyses and scores', (m) => `select public.get_mashup_analyses('${m.complete}')`),
  call('read stems', (m) => `select public.get_mashup_stems('${m.complete}')`),
  call('read all', (m) => `select got from public.get_mashup('${m.complete}') got where got is not null`, 'nothing'),
  call(
    'submit an upload of hers',
    (m) =>
      `select public.submit_mashup('[{"song_id": "a", "name": "A", "storage_path": "${m.upload}"},
        {"song_id": "b", "name": "B", "storage_path": "${m.upload}x"}]')`,
    'MB008',
  ),
  empty('see jobs', () => 'select id from public.mashup_jobs'),
  empty('see plans', () => 'select job_id from public.mashup_plans'),
  empty('see results', () => 'select job_id from public.mashup_results'),
  empty('see histories', () => 'select id from public.mashup_job_events'),
  closed('see who acted', () => 'select actor, detail from public.mashup_job_events'),
  closed('set a stage', (m) => `update public.mashup_jobs set stage = 'cancelled' where id = '${m.running.job_id}'`),
  closed('take a job over', (m) => `update public.mashup_jobs set user_id = '${STRANGER}' where id = '${m.complete}'`),
  closed('lock a job', (m) => `select id from public.mashup_jobs where id = '${m.complete}' for update`),
  closed('insert a job', (m) => `insert into public.mashup_jobs (user_id, songs) values ('${m.owner}', '[{}]')`),
  closed('delete a job', (m) => `delete from public.mashup_jobs where id = '${m.complete}'`),
  closed('empty the jobs', () => 'truncate public.mashup_jobs cascade'),
  closed('change a plan', () => "update public.mashup_plans set source = 'rules'"),
  closed(
    'insert a result',
    (m) => `insert into public.mashup_results (job_id, epoch, path, quality) values ('${m.complete}', 9, 'x', '{}')`,
  ),
  closed(
    'write history',
    (m) =>
      `insert into public.mashup_job_events (job_id, epoch, type, stage, message) values ('${m.complete}', 1, 'stage', 'failed', 'x')`,
  ),
  closed('delete history', () => 'delete from public.mashup_job_events'),
  closed('finish a task', (m) => `select mashup.finish_task(${m.running.task_id}, '${m.running.claim}', '{}')`),
  closed(
    'announce a transition of the engine',
    (m) =>
      `with said as materialized (select set_config('mashup.transition', '${m.running.job_id} complete advance', true))
     update public.mashup_jobs j set stage = 'complete' from said where j.id = '${m.running.job_id}'`,
  ),
  closed(
    'move the clock',
    () => 'create or replace function mashup.now() returns timestamptz language sql as $$ select now() $$',
  ),
  closed('see wake-ups', () => 'select * from mashup_queue._private_jobs'),
  closed('add a queue entry', () => "select mashup_queue.add_job('mashup:render', '{}'::json)"),
  { ...empty('see uploads', (m) => `select name from storage.objects where name = '${m.upload}'`), visitor: 'nothing' },
  {
    ...empty('change an upload', (m) => `update storage.objects set name = 'mine' where name = '${m.upload}'`),
    visitor: 'nothing',
  },
  closed('delete an upload', (m) => `delete from storage.objects where name = '${m.upload}'`),
  closed(
    'put a file among hers',
    (m) => `insert into storage.objects (bucket_id, name) values ('mashups', 'uploads/${m.owner}/x')`,
  ),
  closed(
    'put a file among results',
    (m) => `insert into storage.objects (bucket_id, name) values ('mashups', 'generated/${m.complete}/x')`,
  ),
  closed(
    'put a file among stems',
    (m) => `insert into storage.objects (bucket_id, name) values ('mashups', 'stems/${m.owner}/x')`,
  ),
];

/** One user with a complete mashup, a draft, and a mashup that a worker is running. */
async function furnish(m: Machine): Promise<Owned> {
  const owner = await m.user();
  await m.sql`insert into auth.users (id, email) values (${STRANGER}, 'stranger@example.test')`;
  const worker = await m.worker();
  const complete = await m.submit(owner, 2);
  await m.run(worker);
  const draft = await m.submit(owner, 2, { hold: 'planning' });
  await m.run(worker);
  const running = await m.claimNext(worker, await m.submit(owner, 2));
  assert.ok(running);
  const [object] = await m.sql`select name from storage.objects where owner_id = ${owner} limit 1`;
  return { owner, complete, draft, running, upload: object?.name };
}

async function attempt(m: Machine, as: 'stranger' | 'visitor', text: string): Promise<string> {
  const rollback = new Error('undo');
  let said = 'nothing';
  try {
    await m.sql.begin(async (tx) => {
      const claims = as === 'stranger' ? { sub: STRANGER, role: 'authenticated' } : { role: 'anon' };
      await tx`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
      await tx.unsafe(`set local role ${as === 'stranger' ? 'authenticated' : 'anon'}`);
      const rows = await tx.unsafe(text);
      if (rows.count > 0) said = `${rows.count} rows`;
      throw rollback;
    });
  } catch (error) {
    if (error !== rollback) said = (error as postgres.PostgresError).code;
  }
  return said;
}

describe('another user’s mashup', async () => {
  const m = await useMachine({ after });
  const mine = await furnish(m);

  const digest = async (): Promise<string> => {
    const [row] =
      await m.sql`select md5(string_agg(j::text, '|' order by j.id)) || (select md5(string_agg(t::text, '|' order by t.id)) from mashup.tasks t)
      || (select count(*) from public.mashup_job_events) || (select count(*) from storage.objects) as digest from public.mashup_jobs j`;
    return row?.digest;
  };

  for (const one of ATTEMPTS) {
    it(`is not accessible: ${one.what}`, async () => {
      const before = await digest();
      assert.equal(await attempt(m, 'stranger', one.sql(mine)), one.stranger, 'a stranger');
      assert.equal(await attempt(m, 'visitor', one.sql(mine)), one.visitor, 'a visitor');
      assert.equal(await digest(), before);
    });
  }

  it('is not accessible through any table of schema mashup', async () => {
    const tables = await m.sql<{ name: string }[]>`
      select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'mashup'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')`;
    assert.ok(tables.length > 10);
    for (const { name } of tables) {
      for (const text of [`select * from ${name}`, `delete from ${name}`, `insert into ${name} default values`]) {
        for (const as of ['stranger', 'visitor'] as const) {
          const said = await attempt(m, as, text);
          // Postgres first checks that a view of several tables cannot be written at all.
          assert.ok(said === DENIED || (said === '55000' && !text.startsWith('select')), `${text} as ${as}: ${said}`);
        }
      }
    }
  });

  it('is not accessible through any function of schema mashup', async () => {
    const functions = await m.sql<{ name: string; call: string }[]>`
      select p.proname as name, format('select * from mashup.%I(%s)', p.proname,
        (select string_agg('null::' || format_type(t, null), ', ' order by n) from unnest(p.proargtypes) with ordinality a (t, n))) as call
      from pg_proc p where p.pronamespace = 'mashup'::regnamespace and p.prorettype <> 'trigger'::regtype
        and not has_function_privilege('authenticated', p.oid, 'execute')`;
    assert.ok(functions.length > 50);
    for (const one of functions) {
      for (const as of ['stranger', 'visitor'] as const)
        assert.equal(await attempt(m, as, one.call), DENIED, `${one.call} as ${as}`);
    }
  });

  it('is accessible to its owner through the same entry points', async () => {
    const rows = await m.as(mine.owner, (tx) => tx`select id from public.mashup_jobs`);
    assert.equal(rows.length, 3);
    const [whole] = await m.as(mine.owner, (tx) => tx`select public.get_mashup(${mine.complete}) ->> 'stage' as stage`);
    assert.equal(whole?.stage, 'complete');
  });
});
