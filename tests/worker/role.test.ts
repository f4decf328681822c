/** The role of the worker: its search_path does not matter, and row level security must not apply to it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import postgres from 'postgres';
import { checkAccess } from '../../cli/doctor/access.ts';
import { WorkerStartError } from '../../worker/errors.ts';
import { useWorkerFixture } from './worker-fixture.ts';

test('jobs complete with a search_path that lacks public and has tables of the same names', async (t) => {
  const w = await useWorkerFixture(t);
  await w.sql`create schema evil`;
  for (const table of ['mashup_jobs', 'mashup_plans', 'mashup_results', 'tasks', 'analyses', 'stems', 'scores']) {
    await w.sql`create table ${w.sql(`evil.${table}`)} (id text, job_id text, version text)`;
  }
  await w.sql`grant usage on schema evil to mashup_worker`;
  await w.sql`grant all on all tables in schema evil to mashup_worker`;
  const superuser = postgres(w.database.superuserUrl, { max: 1, onnotice: () => {} });
  await superuser.unsafe(`alter role mashup_worker in database ${w.database.name} set search_path = evil`);
  await superuser.end();
  await w.startWorker();
  const job = await w.untilEnded(await w.submit());
  assert.equal(job.stage, 'complete', JSON.stringify(job));
  const iteration = await w.untilEnded(await w.iterate(job.id, 'more energy'));
  assert.equal(iteration.stage, 'complete', JSON.stringify(iteration));
});

test('a worker whose role row level security applies to does not start, and says why', async (t) => {
  const w = await useWorkerFixture(t);
  const role = `limited_${randomUUID().slice(0, 8)}`;
  const superuser = postgres(w.database.superuserUrl, { max: 1, onnotice: () => {} });
  await superuser.unsafe(`create role ${role} login password 'limited' in role mashup_worker`);
  const url = new URL(w.database.workerUrl);
  url.username = role;
  url.password = 'limited';
  try {
    await assert.rejects(w.startWorker({ databaseUrl: url.href }), (error) => {
      assert.ok(error instanceof WorkerStartError);
      assert.equal(error.code, 'wrong_role');
      assert.match(error.message, new RegExp(`Role ${role} sees no jobs`));
      assert.match(error.hint, /mashup_worker in DATABASE_URL.*alter role .* bypassrls/);
      return true;
    });
  } finally {
    await superuser.unsafe(`drop role ${role}`);
    await superuser.end();
  }
});

test('doctor finds a missing policy, a missing trigger and a read-only database', async (t) => {
  const w = await useWorkerFixture(t);
  const failures = async (): Promise<string[]> =>
    (await checkAccess(w.sql)).filter(({ ok }) => !ok).map(({ name, message }) => `${name}: ${message}`);
  assert.deepEqual(await failures(), []);
  const superuser = postgres(w.database.superuserUrl, { max: 1, onnotice: () => {} });
  await superuser`drop policy "mashups: no reads but own" on storage.objects`;
  await superuser`drop trigger mashup_delete_user_data on auth.users`;
  await superuser.end();
  assert.deepEqual(await failures(), [
    'auth triggers: missing or disabled on auth.users: mashup_delete_user_data',
    'storage policies: 9 of 10 on storage.objects',
  ]);
  const readOnly = postgres(w.database.url, {
    max: 1,
    connection: { default_transaction_read_only: true } as Record<string, boolean>,
  });
  const [first] = await checkAccess(readOnly);
  await readOnly.end();
  assert.equal(first?.message, 'the database is read-only');
});
