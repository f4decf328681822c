/** Errors of a worker that cannot start. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WorkerStartError } from '../../worker/errors.ts';
import { readConfig } from '../../worker/config.ts';
import { runWorker } from '../../worker/run.ts';
import { useDatabase } from '../support/postgres.ts';
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
