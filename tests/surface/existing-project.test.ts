/** The migrations on a project in use: other tables, a queue, and the tables of the earlier product. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Logger, makeWorkerUtils } from 'graphile-worker';
import postgres from 'postgres';
import type { Sql } from 'postgres';
import { MigrateError } from '../../migrate/migrate-error.ts';
import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import type { CleanUpScope, TestDatabase } from '../support/postgres.ts';
import { dbPush } from '../support/supabase-cli.ts';

/** The tables of the earlier product, by its generated types, with its policies and its public bucket. */
const EARLIER = `
  create table public.mashup_jobs (
    id text primary key, created_at timestamptz not null default now(), status text not null default 'queued',
    job_data jsonb, result_url text, error_message text);
  create index mashup_jobs_by_user on public.mashup_jobs (status);
  alter table public.mashup_jobs enable row level security;
  create policy "everyone" on public.mashup_jobs for select to anon, authenticated using (true);
  grant select, insert, update, delete on public.mashup_jobs to anon, authenticated, service_role;
  create table public.mashup_cache (id bigint generated always as identity primary key, audio_hash text, metadata jsonb, created_at timestamptz default now());
  create table public.orders (id int primary key, job text references public.mashup_jobs (id));
  create view public.finished as select id, result_url from public.mashup_jobs where status = 'complete';
  insert into public.mashup_jobs (id, status, result_url) select 'old-' || n, 'complete', 'generated/old-' || n || '.mp3' from generate_series(1, 3) n;
  insert into public.orders values (1, 'old-1');
  insert into public.mashup_cache (audio_hash) values ('abc');
  insert into storage.buckets (id, name, public, file_size_limit) values ('mashups', 'mashups', true, 52428800), ('other', 'other', false, null);
  create policy "uploads of anyone" on storage.objects for insert to anon, authenticated with check (bucket_id = 'mashups' and name like 'uploads/%');
  create policy "all may read" on storage.objects for select to anon, authenticated using (true);
  create policy "all may change" on storage.objects for update to anon, authenticated using (true);
  create publication supabase_realtime_of_earlier_days for table public.mashup_jobs;
`;

/** Adds a queue that another application uses, with a waiting job. */
async function addQueue(url: string): Promise<void> {
  const utils = await makeWorkerUtils({ connectionString: url, logger: new Logger(() => () => {}) });
  await utils.migrate();
  await utils.addJob('send_mail', { to: 'somebody' });
  await utils.release();
}

async function projectInUse(scope: CleanUpScope): Promise<TestDatabase> {
  const db = await useDatabase(scope, { empty: true });
  await addQueue(db.url);
  await db.sql.unsafe(EARLIER);
  return db;
}

/** Tests whether an API role may run statements. */
async function isAllowed(
  url: string,
  role: string,
  user: string | null,
  work: (sql: Sql) => Promise<unknown>,
): Promise<boolean> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify({ sub: user, role })}, true)`;
      await tx.unsafe(`set local role ${role}`);
      await work(tx as unknown as Sql);
    });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '42501') return false;
    throw error;
  } finally {
    await sql.end();
  }
}

async function assertTablesKept({ sql }: TestDatabase): Promise<void> {
  const legacy = await sql`select id, result_url from public.mashup_jobs_legacy order by id`;
  assert.deepEqual(
    legacy.map((row) => row['id'] as string),
    ['old-1', 'old-2', 'old-3'],
  );
  assert.equal((await sql`select from public.orders o join public.mashup_jobs_legacy j on j.id = o.job`).length, 1);
  assert.equal((await sql`select from public.finished`).length, 3, 'the view still works');
  assert.equal((await sql`select from public.mashup_cache`).length, 1);
  assert.equal((await sql`select from graphile_worker.jobs where task_identifier = 'send_mail'`).length, 1);
  assert.equal((await sql`select from public.mashup_jobs`).length, 0);
  const key = await sql`select from pg_indexes where tablename = 'mashup_jobs' and indexname = 'mashup_jobs_pkey'`;
  assert.equal(key.length, 1, 'the names of its indexes are free again');
}

describe('the migrations on a project in use', () => {
  it('apply with the Supabase CLI and keep the queue, other tables and the earlier mashup_jobs', async (t) => {
    const db = await projectInUse(t);
    assert.match(await dbPush(db.url), /Applying migration 20261129000000_init\.sql/);
    assert.match(await dbPush(db.url), /up to date/i);
    await assertTablesKept(db);
    assert.deepEqual((await migrate({ databaseUrl: db.url })).applied, [], 'the own runner has nothing to apply');
  });

  it('apply with the own runner, and close the access that the earlier product left open', async (t) => {
    const db = await projectInUse(t);
    await migrate({ databaseUrl: db.url });
    await assertTablesKept(db);
    const [bucket] =
      await db.sql`select public, file_size_limit::int as most from storage.buckets where id = 'mashups'`;
    assert.deepEqual({ ...bucket }, { public: false, most: 268435456 });

    const [mine, other] = [randomUUID(), randomUUID()];
    await db.sql`insert into auth.users (id, email) values (${mine}, 'mine@example.test'), (${other}, 'other@example.test')`;
    const write = (role: string, user: string | null, bucketId: string, name: string): Promise<boolean> =>
      isAllowed(
        db.superuserUrl,
        role,
        user,
        (sql) => sql`insert into storage.objects (bucket_id, name) values (${bucketId}, ${name})`,
      );
    const count = async (role: string, user: string | null, bucketId: string): Promise<number> => {
      let seen = 0;
      await isAllowed(db.superuserUrl, role, user, async (sql) => {
        seen = (await sql`select from storage.objects where bucket_id = ${bucketId}`).length;
      });
      return seen;
    };
    assert.equal(await write('authenticated', mine, 'mashups', `uploads/${mine}/s/own.wav`), true);
    assert.equal(await write('authenticated', other, 'mashups', `uploads/${mine}/s/planted.wav`), false);
    assert.equal(await write('anon', null, 'mashups', `uploads/${mine}/s/planted.wav`), false);
    assert.equal(await write('anon', null, 'mashups', 'uploads/song/planted.wav'), false);
    await db.sql`insert into storage.objects (bucket_id, name) values ('other', 'x')`;
    assert.deepEqual(
      [
        await count('authenticated', mine, 'mashups'),
        await count('authenticated', other, 'mashups'),
        await count('anon', null, 'mashups'),
      ],
      [1, 0, 0],
    );
    assert.deepEqual(
      [await count('authenticated', other, 'other'), await count('anon', null, 'other')],
      [1, 1],
      'other buckets are not changed',
    );
    const read = (role: string): Promise<boolean> =>
      isAllowed(db.superuserUrl, role, other, (sql) => sql`select from public.mashup_jobs_legacy`);
    assert.deepEqual(
      [await read('anon'), await read('authenticated'), await read('service_role')],
      [false, false, true],
    );
  });

  const TAKEN: [string, string, RegExp][] = [
    ['a schema named mashup', 'create schema mashup', /schema "mashup" exists already.*alter schema mashup rename/],
    [
      'a table named mashup_plans',
      'create table public.mashup_plans (id int)',
      /taken: mashup_plans.*alter table public\.mashup_plans rename/,
    ],
    ['a view named mashup_results', 'create view public.mashup_results as select 1 as one', /taken: mashup_results/],
    [
      'a function named get_mashup',
      `create function public.get_mashup(a int) returns int language sql as 'select 1'`,
      /functions.*taken: get_mashup/,
    ],
    [
      'another kind of mashup_jobs',
      'create table public.mashup_jobs (id int, stage text)',
      /not the table of the earlier product/,
    ],
    [
      'an earlier table that was renamed already',
      `${EARLIER}; create table public.mashup_jobs_legacy (id int)`,
      /mashup_jobs_legacy, but that name is taken/,
    ],
  ];
  for (const [what, sql, message] of TAKEN) {
    it(`fail with a clear message and change nothing if a name is in use: ${what}`, async (t) => {
      const db = await useDatabase(t, { empty: true });
      await db.sql.unsafe(sql);
      await assert.rejects(migrate({ databaseUrl: db.url }), (error) => {
        assert.ok(error instanceof MigrateError);
        assert.match(error.message, message);
        assert.match(error.message, /^20261129000000_init\.sql/);
        return true;
      });
      assert.deepEqual([...(await db.sql`select version from supabase_migrations.schema_migrations`)], []);
    });
  }
});
