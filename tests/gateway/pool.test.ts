/** Lost connections of the gateway's pool. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import type { Sql } from 'postgres';
import { isUnreachable } from '@mashup-engine/supabase-local/gateway/database';
import { openListener, openPool } from '@mashup-engine/supabase-local/gateway/pool';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { LOCAL_ONLY } from './gateway-fixture.ts';

const MAX = 4;
/** Less than the five seconds after which a connection attempt times out. */
const MAX_DELAY_MS = 3_000;

const { superuserUrl } = await useDatabase({ after }, { empty: true });
const admin = postgres(superuserUrl, { max: 1, onnotice: () => {} });
after(() => admin.end());

async function connections(state: string): Promise<number> {
  const rows = await admin`
    select from pg_stat_activity where application_name = 'supabase-local' and datname = current_database() and state = ${state}`;
  return rows.length;
}

async function terminateAll(): Promise<void> {
  await admin`
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where application_name = 'supabase-local' and datname = current_database()`;
}

async function assertRespondsAtOnce(sql: Sql): Promise<void> {
  const start = performance.now();
  const queries = Array.from({ length: 3 * MAX }, (_, n) =>
    n % 2 === 0 ? sql.begin((transaction) => transaction`select 1 as one`) : sql`select 1 as one`,
  );
  for (const [row] of await Promise.all(queries)) assert.equal(row?.one, 1);
  const taken = performance.now() - start;
  assert.ok(taken < MAX_DELAY_MS, `${taken} ms`);
}

interface Proxy {
  url: string;
  /** From now on the next connection is closed when the server has reported that it is ready, and then the proxy. */
  closeAfterStartup(): void;
}

/** Opens a proxy for Postgres, whose connections the test can close. */
async function openProxy(url: string): Promise<Proxy> {
  const target = new URL(url);
  let isClosing = false;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(upstream);
    upstream.on('data', (data) => {
      // ReadyForQuery, idle: the end of the startup.
      if (!isClosing || !data.includes(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) return client.write(data);
      server.close();
      return client.end(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front = new URL(url);
  front.port = String((server.address() as AddressInfo).port);
  return { url: front.href, closeAfterStartup: () => (isClosing = true) };
}

describe('a pool whose connections are lost', { skip: LOCAL_ONLY }, () => {
  const WORK: [string, (sql: Sql) => Promise<unknown>][] = [
    ['a query', (sql) => sql`select pg_sleep(60)`],
    ['a transaction', (sql) => sql.begin((transaction) => transaction`select pg_sleep(60)`)],
    [
      'the second of several statements of a transaction',
      (sql) =>
        sql.begin('read only', async (transaction) => {
          await transaction`select 1`;
          await Promise.all([transaction`select pg_sleep(60)`, transaction`select 2`]);
        }),
    ],
  ];
  for (const [where, work] of WORK) {
    it(`rejects ${where} and runs the next query at once`, async () => {
      const sql = await openPool(superuserUrl, MAX);
      for (let round = 0; round < 2; round++) {
        const interrupted = Promise.allSettled(Array.from({ length: MAX }, () => work(sql)));
        await until('all connections are active', async () => (await connections('active')) === MAX);
        await terminateAll();
        for (const outcome of await interrupted) {
          assert.equal(outcome.status, 'rejected');
          assert.ok(isUnreachable(outcome.reason), String(outcome.reason));
        }
        await assertRespondsAtOnce(sql);
      }
      await sql.end({ timeout: 1 });
    });
  }

  it('runs a query at once if it was idle', async () => {
    const sql = await openPool(superuserUrl, MAX);
    await assertRespondsAtOnce(sql);
    await until('all connections are idle', async () => (await connections('idle')) === MAX);
    await terminateAll();
    await until('the lost connections are noticed', async () => {
      await assertRespondsAtOnce(sql).catch((error: unknown) => assert.ok(isUnreachable(error), String(error)));
      return (await connections('idle')) === MAX;
    });
    await assertRespondsAtOnce(sql);
    await sql.end({ timeout: 1 });
  });

  it('rejects only the running queries when the server closes the connection during startup', async () => {
    const proxy = await openProxy(superuserUrl);
    const sql = await openPool(proxy.url, MAX);
    proxy.closeAfterStartup();
    const queries = [sql`select 1`, sql.begin((transaction) => transaction`select 1`)];
    for (const outcome of await Promise.allSettled(queries)) {
      assert.equal(outcome.status, 'rejected');
      assert.ok(isUnreachable(outcome.reason), String(outcome.reason));
    }
    // An unhandled rejection would have occurred by now.
    await assert.rejects(async () => sql`select 1`, { code: 'ECONNREFUSED' });
    await sql.end({ timeout: 1 });
  });

  it('rolls back a transaction whose work fails, and throws its error', async () => {
    const sql = await openPool(superuserUrl, MAX);
    await admin`create table rolled_back (id int)`;
    const failing = sql.begin(async (transaction) => {
      await transaction`insert into rolled_back values (1)`;
      throw new Error('own error');
    });
    await assert.rejects(failing, { message: 'own error' });
    await assert.rejects(
      sql.begin((transaction) => transaction`select 1 / 0`),
      { code: '22012' },
    );
    assert.equal((await sql`select from rolled_back`).length, 0);
    await sql.end({ timeout: 1 });
  });

  it('listens again after a lost connection, and reports that notifications may have been missed', async () => {
    let notified = 0;
    const listener = await openListener(superuserUrl, 'pool_test', () => (notified += 1));
    assert.equal(notified, 1);
    await terminateAll();
    await until('it listens again', () => notified === 2);
    await admin`notify pool_test`;
    await until('the notification arrives', () => notified === 3);
    await listener.close();
  });
});
