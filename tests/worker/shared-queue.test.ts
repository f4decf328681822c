/** The queue of the engine beside the queue of another application on Graphile Worker in the same database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { Logger, run, runMigrations } from 'graphile-worker';
import type { Runner } from 'graphile-worker';
import { MigrateError } from '../../migrate/migrate-error.ts';
import { migrate } from '../../migrate/migrate.ts';
import { useDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const logger = new Logger(() => () => {});

interface OtherApp {
  runner: Runner;
  /** Payloads that its task `render` received. */
  rendered: unknown[];
  add(key: string, payload: unknown): Promise<void>;
}

/** Runs another application with a task `render` in a schema, while `work` lasts. */
async function withOtherApp(
  { url, sql }: TestDatabase,
  schema: string,
  work: (other: OtherApp) => Promise<void>,
): Promise<void> {
  const rendered: unknown[] = [];
  // The runner leaves a pool that it is given open, so that its last connection is closed before the database is dropped.
  const pgPool = new pg.Pool({ connectionString: url });
  pgPool.on('error', () => {});
  const runner = await run({
    pgPool,
    schema,
    logger,
    noHandleSignals: true,
    pollInterval: 200,
    taskList: {
      render: (payload) => {
        rendered.push(payload);
      },
    },
  });
  const add: OtherApp['add'] = async (key, payload) => {
    await sql`select ${sql(schema)}.add_job('render', ${sql.json(payload as never)}::json, job_key => ${key})`;
  };
  try {
    await work({ runner, rendered, add });
  } finally {
    await runner.stop().catch(() => {});
    await pgPool.end();
  }
}

for (const schema of ['graphile_worker', 'mashup_queue']) {
  test(`jobs and those of another application run side by side, its queue in schema ${schema}`, async (t) => {
    const w = await useWorkerFixture(t);
    await withOtherApp(w.database, schema, async (other) => {
      // Its keys look like those of tasks, and its payloads like theirs.
      for (let n = 1; n <= 9; n++) await other.add(`${n}:1`, { task: n, attempt: 1 });
      await w.startWorker();
      const id = await w.submit();
      for (let n = 10; n <= 20; n++) await other.add(`${n}:1`, { task: n, attempt: 1 });
      assert.equal((await w.untilEnded(id)).stage, 'complete');
      await until('the other application has run its jobs', () => other.rendered.length === 20);
      const late = await w.sql`select from mashup.tasks where attempt > 1 or failures > 0`;
      assert.equal(late.length, 0, 'no task was tried twice');
    });
  });
}

test('a job of another application with the identifier of the engine is kept', async (t) => {
  const w = await useWorkerFixture(t);
  await w.startWorker();
  await w.sql`select mashup_queue.add_job('mashup:render', '{"song": "x"}'::json, job_key => 'theirs')`;
  await until('the worker has refused it', () => w.log.some((line) => line.includes('of another application')));
  await until('it is kept', async () => {
    const [row] = await w.sql`select attempts from mashup_queue.jobs where key = 'theirs' and locked_at is null`;
    return row?.['attempts'] === 1;
  });
});

test('a change of setting queue_schema moves the queue under a running worker', async (t) => {
  const w = await useWorkerFixture(t);
  await w.startWorker();
  assert.equal((await w.untilEnded(await w.submit())).stage, 'complete');
  await migrate({ databaseUrl: w.database.url, queueSchema: 'another_queue' });
  assert.equal((await w.untilEnded(await w.submit())).stage, 'complete');
  const [row] = await w.sql`
    select mashup.queue_schema() as name, (select value #>> '{}' from mashup.settings where name = 'queue_schema') as setting`;
  assert.deepEqual({ ...row }, { name: 'another_queue', setting: 'another_queue' });
  assert.equal((await w.sql`select from another_queue._private_tasks where identifier = 'mashup:render'`).length, 1);
  await migrate({ databaseUrl: w.database.url });
  const [kept] = await w.sql`select mashup.queue_schema() as name`;
  assert.equal(kept?.['name'], 'another_queue', 'a later migration keeps the setting');
});

/** Puts the queue of another application at an earlier version of Graphile Worker. */
async function addOldQueue({ sql, url }: TestDatabase, schema: string): Promise<void> {
  await runMigrations({ connectionString: url, schema, logger });
  await sql`select ${sql(schema)}.add_job('render', '{}'::json)`;
  await sql`delete from ${sql(schema)}.migrations where id > 18`;
}

test('a migration leaves the schema and the running workers of another application alone', async (t) => {
  const db = await useDatabase(t, { empty: true });
  await addOldQueue(db, 'graphile_worker');
  await withOtherApp(db, 'other_queue', async (other) => {
    let isEnded = false;
    void other.runner.promise.finally(() => (isEnded = true)).catch(() => {});
    await migrate({ databaseUrl: db.url });
    await other.add('1:1', { n: 1 });
    await until('the other application still works', () => other.rendered.length === 1);
    assert.equal(isEnded, false, 'it was not stopped by the migration of our queue');
  });
  const [version] = await db.sql`select max(id) as id from graphile_worker.migrations`;
  assert.equal(version?.['id'], 18);
});

test('a migration refuses to upgrade the queue of another application and names the setting', async (t) => {
  const db = await useDatabase(t, { empty: true });
  await addOldQueue(db, 'graphile_worker');
  await assert.rejects(migrate({ databaseUrl: db.url, queueSchema: 'graphile_worker' }), (error) => {
    assert.ok(error instanceof MigrateError);
    assert.equal(error.code, 'queue_schema_taken');
    assert.match(error.message, /"graphile_worker" is the queue of another application \(its tasks: render\)/);
    assert.match(error.hint, /migrate --queue-schema mashup_queue.*setting queue_schema/);
    return true;
  });
  const [version] =
    await db.sql`select max(id) as id, to_regclass('mashup.settings') as engine from graphile_worker.migrations`;
  assert.deepEqual({ ...version }, { id: 18, engine: null });
});

test('a migration refuses a schema that is not a queue', async (t) => {
  const db = await useDatabase(t, { empty: true });
  await db.sql`create schema shop`;
  await db.sql`create table shop.migrations (id int)`;
  for (const name of ['shop', 'public', 'mashup', 'pg_catalog', 'Bad Name']) {
    await assert.rejects(migrate({ databaseUrl: db.url, queueSchema: name }), { code: 'queue_schema_taken' }, name);
  }
});
