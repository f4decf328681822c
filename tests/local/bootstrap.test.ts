import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';

import postgres from 'postgres';

import { bootstrap } from '../../local/index.ts';
import { useDatabase } from '../support/postgres.ts';

const database = await useDatabase({ after }, { empty: true });
const admin = postgres(database.superuserUrl, { max: 1, onnotice: () => {} });
after(() => admin.end());

/** Runs work under an API role with claims, as the gateway does, and rolls it back. */
async function asCaller<T>(
  role: 'anon' | 'authenticated' | 'service_role',
  sub: string | undefined,
  work: (sql: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  const rollback = new Error('rollback');
  await admin
    .begin(async (sql) => {
      await sql`select set_config('request.jwt.claims', ${JSON.stringify({ role, sub })}, true)`;
      await sql.unsafe(`set local role ${role}`);
      result = await work(sql);
      throw rollback;
    })
    .catch((error: unknown) => {
      if (error !== rollback) throw error;
    });
  return result as T;
}

test('the roles have the attributes of hosted Supabase’s roles', async () => {
  const roles = await database.sql`
    select rolname, rolsuper, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin, rolinherit from pg_roles`;
  const of = (name: string): postgres.Row | undefined => roles.find((role) => role.rolname === name);
  assert.deepEqual(of('postgres'), {
    rolname: 'postgres',
    rolsuper: false,
    rolcreaterole: true,
    rolreplication: true,
    rolbypassrls: true,
    rolcanlogin: true,
    rolinherit: true,
  });
  assert.equal(of('anon')?.rolbypassrls, false);
  assert.equal(of('authenticated')?.rolcanlogin, false);
  assert.equal(of('service_role')?.rolbypassrls, true);
  assert.equal(of('authenticator')?.rolinherit, false);
  const [members] = await database.sql`
    select array_agg(roleid::regrole::text order by 1) as roles from pg_auth_members where member = 'authenticator'::regrole`;
  assert.deepEqual(members?.roles, ['anon', 'authenticated', 'service_role']);
});

test('postgres owns the database and may extend it as migrations do', async () => {
  const [owner] =
    await database.sql`select datdba::regrole::text as name from pg_database where datname = current_database()`;
  assert.equal(owner?.name, 'postgres');
  await database.sql`create schema graphile_like`;
  await database.sql`create table public.watched (id uuid primary key references auth.users (id))`;
  await database.sql`alter publication supabase_realtime add table public.watched`;
  await database.sql`create extension if not exists pg_trgm with schema extensions`;
});

test('statements that hosted Supabase rejects for postgres are rejected', async () => {
  const denied = { code: '42501' };
  await assert.rejects(database.sql`alter table storage.objects enable row level security`, denied);
  await assert.rejects(database.sql`create table auth.mine (id int)`, denied);
  await assert.rejects(database.sql`create function storage.mine() returns int language sql as 'select 1'`, denied);
  await assert.rejects(database.sql`create role boss superuser`, denied);
});

test('policies on storage.objects restrict files, and SQL cannot delete them', async () => {
  const [mine, other] = [randomUUID(), randomUUID()];
  await database.sql`
    create policy own_folder on storage.objects for select to authenticated
      using ((storage.foldername(name))[1] = (select auth.uid())::text)`;
  await database.sql`insert into storage.buckets (id, name) values ('mashups', 'mashups')`;
  await database.sql`insert into storage.objects (bucket_id, name) values ('mashups', ${`${mine}/a.wav`})`;
  const count = (sql: postgres.TransactionSql): Promise<number> =>
    sql`select from storage.objects`.then((rows) => rows.length);
  assert.equal(await asCaller('authenticated', mine, count), 1);
  assert.equal(await asCaller('authenticated', other, count), 0);
  assert.equal(await asCaller('anon', undefined, count), 0);
  assert.equal(await asCaller('service_role', undefined, count), 1);
  await assert.rejects(database.sql`delete from storage.objects`, { code: '42501', hint: /Storage API/ });
  await database.sql.begin(async (sql) => {
    await sql`select set_config('storage.allow_delete_query', 'true', true)`;
    assert.equal((await sql`delete from storage.objects`).count, 1);
  });
});

test('a new table is hidden from the API until it is granted; a new function is callable', async () => {
  await database.sql`create table public.fresh (id int)`;
  await database.sql`create function public.fresh_number() returns int language sql as 'select 7'`;
  await assert.rejects(
    asCaller('anon', undefined, (sql) => sql`select from public.fresh`),
    { code: '42501' },
  );
  const rows = await asCaller('anon', undefined, (sql) => sql`select public.fresh_number() as n`);
  assert.equal(rows[0]?.n, 7);
});

test('auth.uid, auth.role and auth.jwt return the claims', async () => {
  const sub = randomUUID();
  const rows = await asCaller(
    'authenticated',
    sub,
    (sql) => sql`select auth.uid() as uid, auth.role() as role, auth.jwt() ->> 'sub' as sub`,
  );
  assert.deepEqual({ ...rows[0] }, { uid: sub, role: 'authenticated', sub });
  const nobody = await database.sql`select auth.uid() as uid`;
  assert.equal(nobody[0]?.uid, null);
});

test('realtime.send adds a message for its channel', async () => {
  await database.sql`select realtime.send('{"a": 1}'::jsonb, 'tick', 'room', false)`;
  const rows = await database.sql`select id, topic, event, payload, private, extension from realtime.messages`;
  const { id, ...message } = { ...rows[0] };
  // Hosted Realtime also adds the id to the payload: clients recognize repeated messages by it.
  assert.deepEqual(message, {
    topic: 'room',
    event: 'tick',
    payload: { a: 1, id },
    private: false,
    extension: 'broadcast',
  });
});

test('the bootstrap can be repeated on a database in use', async () => {
  await bootstrap(database.superuserUrl);
  assert.equal((await database.sql`select from pg_publication where pubname = 'supabase_realtime'`).length, 1);
});
