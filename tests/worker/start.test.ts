/** Errors of a worker that cannot start. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WorkerStartError } from '../../worker/errors.ts';
import { readConfig } from '../../worker/config.ts';
import { runWorker } from '../../worker/run.ts';
import { migrate, MIGRATIONS_DIR, readMigrations } from '../../migrate/migrate.ts';
import { useGateway } from '../support/gateway.ts';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { startNotificationDroppingProxy } from './notification-dropping-proxy.ts';

const database = await useDatabase({ after });
const serviceUrls = readConfig({
  DATABASE_URL: database.workerUrl,
  SUPABASE_URL: 'http://127.0.0.1:1',
  SUPABASE_SERVICE_ROLE_KEY: 'key',
}).serviceUrls;

function start(databaseUrl: string): Promise<unknown> {
  return runWorker({
    databaseUrl,
    supabaseUrl: 'http://127.0.0.1:1',
    serviceRoleKey: 'key',
    serviceUrls,
    write: () => {},
  });
}

test('the error names every missing or invalid variable', () => {
  assert.throws(
    () => readConfig({ DATABASE_URL: 'mysql://x', WORKER_CONCURRENCY: '0', SUPABASE_SERVICE_ROLE_KEY: 'key' }),
    (error: WorkerStartError) => {
      assert.match(error.message, /DATABASE_URL/);
      assert.match(error.message, /SUPABASE_URL is missing/);
      assert.match(error.message, /WORKER_CONCURRENCY/);
      return error.code === 'bad_configuration';
    },
  );
});

test('one of the two keys of the project is required, and a publishable key is not one of them', () => {
  const given = { DATABASE_URL: database.workerUrl, SUPABASE_URL: 'http://127.0.0.1:1' };
  assert.equal(readConfig({ ...given, SUPABASE_SECRET_KEY: 'sb_secret_1' }).serviceRoleKey, 'sb_secret_1');
  const both = { ...given, SUPABASE_SECRET_KEY: 'sb_secret_1', SUPABASE_SERVICE_ROLE_KEY: 'old' };
  assert.equal(readConfig(both).serviceRoleKey, 'sb_secret_1');
  assert.throws(() => readConfig(given), /SUPABASE_SECRET_KEY \(or SUPABASE_SERVICE_ROLE_KEY\) is missing/);
  assert.throws(() => readConfig({ ...given, SUPABASE_SECRET_KEY: 'sb_publishable_1' }), /is a publishable key/);
});

test('services have default ports; a configured URL may contain a path', () => {
  const config = readConfig({
    DATABASE_URL: database.workerUrl,
    SUPABASE_URL: 'http://127.0.0.1:1',
    SUPABASE_SERVICE_ROLE_KEY: 'key',
    SCORING_API_URL: 'https://host.example.test/scoring',
  });
  assert.equal(config.serviceUrls.analysis, 'http://127.0.0.1:8000');
  assert.equal(config.serviceUrls.scoring, 'https://host.example.test/scoring');
});

test('a wrong password is refused at once, and the error does not contain it', async () => {
  const url = new URL(database.workerUrl);
  url.password = 'wrong-secret';
  await assert.rejects(start(url.href), (error: WorkerStartError) => {
    assert.doesNotMatch(`${error.message} ${error.hint}`, /wrong-secret/);
    return error.code === 'database_refused';
  });
});

test('a connection that drops notifications is refused, and the error names the pooler', async () => {
  const proxy = await startNotificationDroppingProxy(database.workerUrl);
  await assert.rejects(start(proxy.url), (error: WorkerStartError) => {
    assert.match(error.hint, /5432 instead of 6543/);
    return error.code === 'transaction_pooler';
  });
  await proxy.close();
});

test('a worker names what is missing from an empty project, one thing after the other, and says when it is there', async (t) => {
  const project = await useDatabase(t, { empty: true });
  const gateway = await useGateway(t, project);
  const log: string[] = [];
  const said = (text: string): Promise<void> =>
    until(`the log says ${text}: ${log.join()}`, () => log.some((line) => line.includes(text)));
  const worker = runWorker({
    databaseUrl: project.workerUrl,
    supabaseUrl: gateway.url,
    serviceRoleKey: gateway.keys.secretKey,
    serviceUrls,
    write: (line) => log.push(line),
  });
  await said('the bucket mashups is missing: run `mashup migrate`');
  await said('the database does not have the engine: run `mashup migrate`');
  // As `supabase db push` does.
  for (const { text } of await readMigrations(MIGRATIONS_DIR)) await project.sql.unsafe(text);
  const running = await worker;
  t.after(() => running.stop());
  await said('the database is ready');
  await said('Storage is ready');
  await said('no tasks are taken: the schema of the queue, mashup_queue, is missing');
  await project.sql`create schema supabase_migrations`;
  await project.sql`create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)`;
  for (const { version } of await readMigrations(MIGRATIONS_DIR))
    await project.sql`insert into supabase_migrations.schema_migrations (version) values (${version})`;
  await migrate({ databaseUrl: project.url });
  await said('the queue works');
});
