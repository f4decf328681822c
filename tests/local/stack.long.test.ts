import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import postgres from 'postgres';
import { AlreadyRunningError, dataPaths, PortTakenError, readStack, startStack } from '../../local/index.ts';
import { isListening } from '../../local/ports.ts';
import { isAlive } from '../../local/processes.ts';
import { findPostgres } from '../../local/postgres/launcher.ts';
import { until } from '../support/until.ts';
import { runElsewhere, scratchDir } from './local-fixture.ts';

const FAST = { fsync: 'off', full_page_writes: 'off' };
const INDEX = pathToFileURL(join(import.meta.dirname, '../../local/index.ts')).href;

test('a stack records what runs, rejects a second start on its data directory, and leaves no process', async (t) => {
  const dataDir = await scratchDir(t);
  const options = { dataDir, portBase: 0, only: ['functions'], postgresSettings: FAST } as const;
  const stack = await startStack(options);
  t.after(() => stack.stop());
  assert.deepEqual(readStack(dataDir), stack.info);
  assert.equal((await stat(dataPaths(dataDir).state)).mode & 0o777, 0o600);
  assert.equal((await stat(dataPaths(dataDir).keys)).mode & 0o777, 0o600);
  await assert.rejects(startStack(options), (error: unknown) => {
    assert.ok(error instanceof AlreadyRunningError);
    assert.equal(error.pid, process.pid);
    assert.match(error.message, /^the stack is running already /);
    assert.ok(error.message.includes(stack.info.apiUrl));
    assert.doesNotMatch(error.message, /postgres:postgres/);
    return true;
  });
  const pids = stack.parts.map((part) => part.pid());
  const databasePort = Number(new URL(stack.info.dbUrl).port);
  assert.ok(await isListening(databasePort));
  await stack.stop();
  assert.equal(readStack(dataDir), undefined);
  assert.equal(await isListening(databasePort), false);
  for (const pid of pids) assert.ok(pid === undefined || !isAlive(pid));
});

test('after a kill -9 the next start takes over with the same keys', async (t) => {
  const dataDir = await scratchDir(t);
  const killed = runElsewhere(
    t,
    `import { startStack } from ${JSON.stringify(INDEX)};
     const stack = await startStack({ dataDir: ${JSON.stringify(dataDir)}, portBase: 0, only: ['functions'], postgresSettings: { fsync: 'off' } });
     console.log(JSON.stringify({ anonKey: stack.info.anonKey, pid: stack.parts[0]?.pid() }));`,
  );
  const before = (await killed.next()) as { anonKey: string; pid: number };
  assert.equal(readStack(dataDir)?.pid, killed.pid);
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  assert.equal(readStack(dataDir), undefined);
  const stack = await startStack({ dataDir, portBase: 0, only: ['functions'], postgresSettings: FAST });
  t.after(() => stack.stop());
  assert.equal(stack.info.anonKey, before.anonKey);
  await until('the killed stack’s process has exited', () => !isAlive(before.pid));
});

test('a port in use stops the start before anything runs', async (t) => {
  const dataDir = await scratchDir(t);
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.after(() => void holder.close());
  const { port } = holder.address() as AddressInfo;
  const portBase = port - 2;
  await assert.rejects(startStack({ dataDir, portBase, only: ['functions'] }), (error: unknown) => {
    assert.ok(error instanceof PortTakenError);
    assert.equal(error.port, port);
    assert.equal(error.holder?.pid, process.pid);
    assert.match(error.message, /needed for the database/);
    assert.match(error.hint, /--port-base/);
    return true;
  });
  assert.equal(readStack(dataDir), undefined);
});

test('a killed Postgres of a running stack is started again on its port', async (t) => {
  const dataDir = await scratchDir(t);
  const stack = await startStack({ dataDir, portBase: 0, only: [], postgresSettings: FAST });
  t.after(() => stack.stop());
  const port = Number(new URL(stack.info.dbUrl).port);
  const killed = stack.databasePid();
  assert.ok(killed !== undefined);
  process.kill(killed, 'SIGKILL');
  await until('another one listens', async () => stack.databasePid() !== killed && (await isListening(port)));
});

test('gateway and worker of a running stack survive a stop of Postgres', async (t) => {
  const dataDir = await scratchDir(t);
  const stack = await startStack({ dataDir, portBase: 0, only: ['gateway', 'worker'], postgresSettings: FAST });
  t.after(() => stack.stop());
  const sql = <T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
    const one = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
    return work(one).finally(() => one.end());
  };
  // A call that is running when the database stops.
  await sql((one) =>
    one.unsafe(`
      create function public.sleep_long() returns int language sql security definer set search_path = '' as 'select 1 from pg_catalog.pg_sleep(60)';
      notify pgrst`),
  );
  const call = (path: string): Promise<Response> =>
    fetch(`${stack.info.apiUrl}${path}`, {
      method: 'POST',
      headers: { apikey: stack.info.serviceRoleKey, authorization: `Bearer ${stack.info.serviceRoleKey}` },
      body: '{}',
    });
  const pids = stack.parts.map((part) => part.pid());
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    const interrupted = Promise.all(Array.from({ length: 3 }, () => call('/rest/v1/rpc/sleep_long')));
    await until('the calls are running', () =>
      sql(async (one) => (await one`select from pg_stat_activity where wait_event = 'PgSleep'`).length === 3),
    );
    const stopped = stack.databasePid();
    process.kill(stopped ?? 0, signal);
    for (const { status } of await interrupted) assert.equal(status, 503);
    await until('another server runs', () => stack.databasePid() !== stopped);
    await until('the gateway responds', async () => (await call('/auth/v1/signup')).status === 200);
    await until('the worker has sent a heartbeat', () =>
      sql(
        async (one) =>
          (
            await one`select from mashup.workers where pid = ${stack.info.workers[0] ?? 0} and seen_at > pg_postmaster_start_time()`
          ).length === 1,
      ).catch(() => false),
    );
    assert.deepEqual(
      stack.parts.map((part) => [part.name, part.restarts()]),
      [
        ['gateway', 0],
        ['worker', 0],
      ],
      signal,
    );
  }
  assert.deepEqual(
    stack.parts.map((part) => part.pid()),
    pids,
  );
});

test('an interrupted start leaves nothing running', async (t) => {
  const dataDir = await scratchDir(t);
  const interrupt = new AbortController();
  const log = (line: string): void => {
    if (line.startsWith('Postgres listens')) interrupt.abort();
  };
  const started = startStack({
    dataDir,
    portBase: 0,
    only: ['functions'],
    log,
    signal: interrupt.signal,
    postgresSettings: FAST,
  });
  await assert.rejects(started, { code: 'interrupted' });
  assert.equal(await findPostgres(dataPaths(dataDir).postgres), undefined);
  assert.equal(readStack(dataDir), undefined);
});

test('a stack in the foreground stops in order on SIGINT and exits', async (t) => {
  const dataDir = await scratchDir(t);
  const foreground = runElsewhere(
    t,
    `import { runStack } from ${JSON.stringify(INDEX)};
     const options = { dataDir: ${JSON.stringify(dataDir)}, portBase: 0, only: ['functions'], postgresSettings: { fsync: 'off' } };
     await runStack(options, (stack) => console.log(JSON.stringify([stack.databasePid(), ...stack.parts.map((part) => part.pid())])));`,
  );
  const pids = (await foreground.next()) as number[];
  assert.equal(pids.length, 2);
  foreground.child.kill('SIGINT');
  const [code] = await once(foreground.child, 'exit');
  assert.equal(code, 0);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal(readStack(dataDir), undefined);
});
