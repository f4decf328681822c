/** The replication stream with a server that closes connections during startup. Unhandled errors fail the test. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { ReplicationStream } from '@mashup-engine/supabase-local/gateway/realtime/replication';
import type { Transaction } from '@mashup-engine/supabase-local/gateway/realtime/transactions';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { LOCAL_ONLY } from './gateway-fixture.ts';
import { startOwnTime } from '../support/own-time.ts';

/** Connections that fail during startup before one succeeds. */
const FAILED_STARTUPS = 3;
const MAX_CLOSE_MS = 5_000;

const { superuserUrl } = await useDatabase({ after }, { empty: true });
const sql = postgres(superuserUrl, { max: 2, onnotice: () => {} });
after(() => sql.end());

function message(tag: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(tag), length, Buffer.from(body, 'latin1')]);
}

/** AuthenticationOk, ReadyForQuery and the end of the session: a server that is stopped at this moment sends them together. */
const STARTUP_AND_TERMINATION = Buffer.concat([
  message('R', '\0\0\0\0'),
  message('Z', 'I'),
  message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
]);

/** Opens a server in front of Postgres. `serve` receives each connection with its number. */
async function openProxy(serve: (client: Socket, count: number) => void): Promise<{ url: string; count(): number }> {
  let count = 0;
  const server = createServer((client) => {
    client.on('error', () => {});
    serve(client, (count += 1));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const front = new URL(superuserUrl);
  front.port = String((server.address() as AddressInfo).port);
  return { url: front.href, count: () => count };
}

describe('the replication stream', { skip: LOCAL_ONLY }, () => {
  it('is opened again when the server closes the connection during startup', async () => {
    const target = new URL(superuserUrl);
    const proxy = await openProxy((client, count) => {
      if (count <= FAILED_STARTUPS) return void client.once('data', () => client.end(STARTUP_AND_TERMINATION));
      const upstream = connect(Number(target.port), target.hostname);
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
    const seen: Transaction[] = [];
    const replication = new ReplicationStream(sql, proxy.url, (transaction) =>
      Promise.resolve(void seen.push(transaction)),
    );
    await replication.start();
    assert.equal(proxy.count(), FAILED_STARTUPS + 1);
    await sql`create table followed (id int primary key)`;
    await sql`alter publication supabase_realtime add table followed`;
    await sql`insert into followed values (7)`;
    await until('the change is delivered', () => seen.some(({ changes: [change] }) => change?.row?.['id'] === '7'));
    await replication.close();
  });

  it('continues after its slot was dropped, and reports that changes may have been lost', async () => {
    const seen: Transaction[] = [];
    let gaps = 0;
    const replication = new ReplicationStream(
      sql,
      superuserUrl,
      (transaction) => Promise.resolve(void seen.push(transaction)),
      () => (gaps += 1),
    );
    await replication.start();
    await sql`create table kept (id int primary key)`;
    await sql`alter publication supabase_realtime add table kept`;
    const has = (id: string): boolean => seen.some(({ changes: [change] }) => change?.row?.['id'] === id);
    await sql`insert into kept values (1)`;
    await until('the change is delivered', () => has('1'));
    await until('the slot is dropped', async () => {
      // The stream connects again at once; the drop succeeds between two connections.
      const dropped = await sql`
        select pg_terminate_backend(active_pid), pg_drop_replication_slot(slot_name)
        from pg_replication_slots where database = current_database()`.catch(() => []);
      return dropped.length > 0;
    });
    await until('the gap is reported', () => gaps === 1);
    await sql`insert into kept values (2)`;
    await until('a later change is delivered', () => has('2'));
    await replication.close();
    assert.equal((await sql`select from pg_replication_slots where database = current_database()`).length, 0);
  });

  it('can be closed while it waits for a server that never starts the session', async () => {
    const proxy = await openProxy(() => {});
    const replication = new ReplicationStream(sql, proxy.url, () => Promise.resolve());
    void replication.start();
    await until('it has connected', () => proxy.count() === 1);
    const ownTime = startOwnTime();
    await replication.close();
    assert.ok(ownTime() < MAX_CLOSE_MS);
    assert.equal((await sql`select from pg_replication_slots where database = current_database()`).length, 0);
  });
});
