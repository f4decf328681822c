/** Connections that fail: hints, back-off, and one log line for each error. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, test } from 'node:test';
import { explainConnection } from '../../connection/explain.ts';
import { createBackoff } from '../../worker/backoff.ts';
import type { WorkerStartError } from '../../worker/errors.ts';
import { mashup } from '../cli/cli.ts';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { useRefusingServer, useSwitchableProxy } from './refusing-server.ts';
import { startWorker } from './start-worker.ts';

const database = await useDatabase({ after });
const OUTAGE_MS = 3_000;

test("the error of a pooler that does not know the tenant names the pooler's user name in every command", async (t) => {
  const port = await useRefusingServer(t, 'XX000', 'Tenant or user not found');
  const DATABASE_URL = `postgres://mashup_worker:secret-1@127.0.0.1:${port}/postgres`;
  await assert.rejects(startWorker(DATABASE_URL), (error: WorkerStartError) => {
    assert.match(error.hint, /role\.project-ref/);
    return error.code === 'database_refused';
  });
  for (const command of ['jobs', 'migrate', 'doctor']) {
    const run = await mashup([command], { DATABASE_URL });
    assert.notEqual(run.code, 0);
    assert.match(run.stdout + run.stderr, /Tenant or user not found.*role\.project-ref/s, command);
    assert.equal(run.stderr.trim().split('\n').length, 1, run.stderr);
    assert.doesNotMatch(run.stdout + run.stderr, /secret-1/);
  }
});

test('hints depend on the error and on the host', () => {
  const error = (code: string, message = code): Error => Object.assign(new Error(message), { code });
  const direct = 'postgres://postgres:x@db.abcdefghijklmnopqrst.supabase.co:5432/postgres';
  const pooler = 'postgres://postgres:x@aws-0-eu-central-1.pooler.supabase.com:5432/postgres';
  const cases: [error: Error, url: string, hint: RegExp, outlook: string][] = [
    [error('ENOTFOUND'), direct, /IPv6 address only.*session pooler.*role\.project-ref/, 'retry'],
    [error('ENETUNREACH'), direct, /IPv6 address only/, 'retry'],
    [error('EAI_AGAIN'), pooler, /host name.*role\.project-ref/, 'retry'],
    [error('ENOTFOUND'), 'postgres://a@nowhere.test/b', /Check the host name/, 'retry'],
    [error('28P01'), pooler, /password.*role\.project-ref/, 'refused'],
    [error('28P01'), direct, /^Check user and password in DATABASE_URL\.$/, 'refused'],
    [error('XX000', '(ENOTFOUND) tenant/user postgres.x not found'), pooler, /role\.project-ref/, 'refused'],
    [error('XX000', 'MaxClientsInSessionMode: max clients reached'), pooler, /pool size/, 'retry'],
    [error('53300'), direct, /connection limit/, 'retry'],
    [error('08P01', 'unsupported startup parameter: options'), direct, /ignore_startup_parameters/, 'refused'],
    [error('', 'timeout expired'), direct, /firewall/, 'retry'],
  ];
  for (const [cause, url, hint, outlook] of cases) {
    const explained = explainConnection(cause, url);
    assert.match(explained.hint, hint);
    assert.equal(explained.outlook, outlook, cause.message);
  }
});

test('a command names a host that does not exist, with a hint', async () => {
  const run = await mashup(['jobs'], { DATABASE_URL: 'postgres://a:b@nowhere.invalid:5432/postgres' });
  assert.match(run.stderr, /(ENOTFOUND|EAI_AGAIN) nowhere\.invalid\. Check the host name/);
});

test('a back-off doubles up to its limit, is spread by up to half, and can be reset', () => {
  const backoff = createBackoff(100, 1_000);
  for (const limit of [100, 200, 400, 800, 1_000, 1_000]) {
    const delay = backoff.next();
    assert.ok(delay >= limit / 2 && delay <= limit, `${delay} of ${limit}`);
  }
  backoff.reset();
  assert.ok(backoff.next() <= 100);
});

test('a worker that starts during an outage logs the error once, waits longer each time, and logs that it is over', async (t) => {
  const proxy = await useSwitchableProxy(t, database.workerUrl);
  const log: string[] = [];
  const started = startWorker(proxy.url, log);
  await sleep(OUTAGE_MS);
  const attempts = proxy.attempts.length;
  assert.ok(attempts >= 3 && attempts <= 7, `${attempts} attempts in ${OUTAGE_MS} ms`);
  assert.equal(log.length, 1, log.join('\n'));
  assert.match(log[0] ?? '', /cannot reach the database/);
  assert.match(log[0] ?? '', /Check host and port/);
  proxy.setOpen(true);
  const worker = await started;
  t.after(() => worker.stop());
  assert.match(log[1] ?? '', /the database is ready/);
  assert.match(log[1] ?? '', /after_sec/);
});

test('a running worker logs each error of an outage once, and its end', async (t) => {
  const proxy = await useSwitchableProxy(t, database.workerUrl);
  proxy.setOpen(true);
  const log: string[] = [];
  const worker = await startWorker(proxy.url, log);
  t.after(() => worker.stop());
  proxy.setOpen(false);
  await sleep(OUTAGE_MS);
  const attempts = proxy.attempts.length;
  // Registration and queue, each at most about once a second, and one sweep a second.
  assert.ok(attempts < 30, `${attempts} attempts in ${OUTAGE_MS} ms`);
  proxy.setOpen(true);
  await until('the worker has reconnected', () => log.some((line) => line.includes('reconnected to the database')));
  const messages = log
    .map((line) => JSON.parse(line) as { message: string; error?: string })
    .map(({ message, error }) => `${message}: ${error ?? ''}`);
  assert.deepEqual(messages.length, new Set(messages).size, messages.join('\n'));
});
