/** The stream of changes before a server that goes while it greets. What nobody listens for fails the test it comes in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { ReplicationStream } from '@mashup-engine/supabase-local/gateway/realtime/replication';
import type { Transaction } from '@mashup-engine/supabase-local/gateway/realtime/transactions';
import { useDatabase } from '../support/postgres.ts';
import { LOCAL_ONLY, until } from './gateway-fixture.ts';

/** Greetings that fail before one succeeds. */
const FAREWELLS = 3;
const PROMPT_MS = 5_000;

const { superuserUrl } = await useDatabase({ after }, { empty: true });
const sql = postgres(superuserUrl, { max: 2, onnotice: () => {} });
after(() => sql.end());

function message(tag: string, body: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(tag), length, Buffer.from(body, 'latin1')]);
}

/** AuthenticationOk, ReadyForQuery and the end of the session, as they come when a server is stopped just then. */
const GREETING_AND_FAREWELL = Buffer.concat([
  message('R', '\0\0\0\0'),
  message('Z', 'I'),
  message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
]);

/** Listens before Postgres; `serve` is told which connection it is. */
async function openFront(serve: (client: Socket, count: number) => void): Promise<{ url: string; count(): number }> {
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

describe('the stream of changes', { skip: LOCAL_ONLY }, () => {
  it('is opened again when the server goes with its greeting', async () => {
    const behind = new URL(superuserUrl);
    const front = await openFront((client, count) => {
      if (count <= FAREWELLS) return void client.once('data', () => client.end(GREETING_AND_FAREWELL));
      const upstream = connect(Number(behind.port), behind.hostname);
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
    const seen: Transaction[] = [];
    const replication = new ReplicationStream(sql, front.url, (transaction) =>
      Promise.resolve(void seen.push(transaction)),
    );
    await replication.start();
    assert.equal(front.count(), FAREWELLS + 1);
    await sql`create table followed (id int primary key)`;
    await sql`alter publication supabase_realtime add table followed`;
    await sql`insert into followed values (7)`;
    await until('the change is here', () => seen.some(({ changes: [change] }) => change?.row?.['id'] === '7'));
    await replication.close();
  });

  it('ends although it waits for a server that never greets', async () => {
    const front = await openFront(() => {});
    const replication = new ReplicationStream(sql, front.url, () => Promise.resolve());
    void replication.start();
    await until('it waits', () => front.count() === 1);
    const start = performance.now();
    await replication.close();
    assert.ok(performance.now() - start < PROMPT_MS);
    assert.equal((await sql`select from pg_replication_slots where database = current_database()`).length, 0);
  });
});
