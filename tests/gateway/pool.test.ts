/** Connections that are cut under the gateway's pool. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import type { Sql } from 'postgres';
import { isUnreachable } from '@mashup-engine/supabase-local/gateway/database';
import { openListener, openPool } from '@mashup-engine/supabase-local/gateway/pool';
import { useDatabase } from '../support/postgres.ts';
import { LOCAL_ONLY, until } from './gateway-fixture.ts';

const MAX = 4;
/** A connection that postgres.js never starts again is given up after five seconds. */
const PROMPT_MS = 3_000;

const { superuserUrl } = await useDatabase({ after }, { empty: true });
const admin = postgres(superuserUrl, { max: 1, onnotice: () => {} });
after(() => admin.end());

async function connections(state: string): Promise<number> {
  const rows = await admin`
    select from pg_stat_activity where application_name = 'supabase-local' and datname = current_database() and state = ${state}`;
  return rows.length;
}

async function cutAll(): Promise<void> {
  await admin`
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where application_name = 'supabase-local' and datname = current_database()`;
}

async function answersAtOnce(sql: Sql): Promise<void> {
  const start = performance.now();
  const asked = Array.from({ length: 3 * MAX }, (_, n) =>
    n % 2 === 0 ? sql.begin((transaction) => transaction`select 1 as one`) : sql`select 1 as one`,
  );
  for (const [row] of await Promise.all(asked)) assert.equal(row?.one, 1);
  const taken = performance.now() - start;
  assert.ok(taken < PROMPT_MS, `${taken} ms`);
}

interface Door {
  url: string;
  /** From now on a connection ends when the server has said that it is ready, and there is no other after it. */
  closeAfterGreeting(): void;
}

/** A way to Postgres that can be shut. */
async function openDoor(url: string): Promise<Door> {
  const behind = new URL(url);
  let isClosing = false;
  const server = createServer((client) => {
    const upstream = connect(Number(behind.port), behind.hostname);
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.pipe(upstream);
    upstream.on('data', (data) => {
      // ReadyForQuery, idle: the end of the greeting.
      if (!isClosing || !data.includes(Buffer.from([0x5a, 0, 0, 0, 5, 0x49]))) return client.write(data);
      server.close();
      return client.end(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const front = new URL(url);
  front.port = String((server.address() as AddressInfo).port);
  return { url: front.href, closeAfterGreeting: () => (isClosing = true) };
}

describe('a pool whose connections are cut', { skip: LOCAL_ONLY }, () => {
  const WORK: [string, (sql: Sql) => Promise<unknown>][] = [
    ['in a query', (sql) => sql`select pg_sleep(60)`],
    ['in a transaction', (sql) => sql.begin((transaction) => transaction`select pg_sleep(60)`)],
    [
      'in the second of several statements of a transaction',
      (sql) =>
        sql.begin('read only', async (transaction) => {
          await transaction`select 1`;
          await Promise.all([transaction`select pg_sleep(60)`, transaction`select 2`]);
        }),
    ],
  ];
  for (const [where, work] of WORK) {
    it(`fails what is ${where} and answers the next at once`, async () => {
      const sql = await openPool(superuserUrl, MAX);
      for (let round = 0; round < 2; round++) {
        const cut = Promise.allSettled(Array.from({ length: MAX }, () => work(sql)));
        await until('all are at it', async () => (await connections('active')) === MAX);
        await cutAll();
        for (const outcome of await cut) {
          assert.equal(outcome.status, 'rejected');
          assert.ok(isUnreachable(outcome.reason), String(outcome.reason));
        }
        await answersAtOnce(sql);
      }
      await sql.end({ timeout: 1 });
    });
  }

  it('answers at once when it was idle', async () => {
    const sql = await openPool(superuserUrl, MAX);
    await answersAtOnce(sql);
    await until('it is idle', async () => (await connections('idle')) === MAX);
    await cutAll();
    await until('the cut is noticed', async () => {
      await answersAtOnce(sql).catch((error: unknown) => assert.ok(isUnreachable(error), String(error)));
      return (await connections('idle')) === MAX;
    });
    await answersAtOnce(sql);
    await sql.end({ timeout: 1 });
  });

  it('fails what is asked when the server goes right after its greeting, and nothing besides', async () => {
    const door = await openDoor(superuserUrl);
    const sql = await openPool(door.url, MAX);
    door.closeAfterGreeting();
    const asked = [sql`select 1`, sql.begin((transaction) => transaction`select 1`)];
    for (const outcome of await Promise.allSettled(asked)) {
      assert.equal(outcome.status, 'rejected');
      assert.ok(isUnreachable(outcome.reason), String(outcome.reason));
    }
    // Whatever was left to nobody would be refused by now.
    await assert.rejects(async () => sql`select 1`, { code: 'ECONNREFUSED' });
    await sql.end({ timeout: 1 });
  });

  it('still undoes a transaction whose work fails, and gives its error', async () => {
    const sql = await openPool(superuserUrl, MAX);
    await admin`create table undone (id int)`;
    const failing = sql.begin(async (transaction) => {
      await transaction`insert into undone values (1)`;
      throw new Error('of its own');
    });
    await assert.rejects(failing, { message: 'of its own' });
    await assert.rejects(
      sql.begin((transaction) => transaction`select 1 / 0`),
      { code: '22012' },
    );
    assert.equal((await sql`select from undone`).length, 0);
    await sql.end({ timeout: 1 });
  });

  it('listens on after its connection was cut, and says that it may have missed something', async () => {
    let heard = 0;
    const listener = await openListener(superuserUrl, 'pool_test', () => (heard += 1));
    assert.equal(heard, 1);
    await cutAll();
    await until('it listens again', () => heard === 2);
    await admin`notify pool_test`;
    await until('it hears', () => heard === 3);
    await listener.close();
  });
});
