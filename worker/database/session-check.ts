/** Checks that a connection has a server session of its own, which LISTEN and session locks need. */
import { sql } from 'kysely';
import type pg from 'pg';
import { isTransactionPooled, TRANSACTION_POOLER } from '../../connection/pooler.ts';
import { WorkerStartError } from '../errors.ts';
import type { Db } from './database.ts';

/** A notification that takes longer counts as lost. */
const NOTIFICATION_TIMEOUT_MS = 3_000;

/**
 * Checks that the connection is not pooled by transaction. Run before anything is locked or registered: the pooler would keep
 * it on a connection that others use.
 * @throws WorkerStartError `transaction_pooler`
 */
export async function checkSession(client: pg.Client, db: Db): Promise<void> {
  const isPooled = await db.connection().execute((second) =>
    isTransactionPooled(
      async () => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0,
      async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(second)).rows[0]?.pid ?? 0,
    ),
  );
  if (isPooled) throw transactionPooler();
}

/**
 * Sends a notification from another connection and waits for it. Some poolers and proxies accept LISTEN and deliver nothing.
 * @throws WorkerStartError `transaction_pooler` if the notification does not arrive
 */
export async function checkListen(client: pg.Client, db: Db, workerId: string): Promise<void> {
  const channel = `mashup_test_${workerId.replaceAll('-', '_')}`;
  await client.query(`listen ${channel}`);
  const received = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), NOTIFICATION_TIMEOUT_MS);
    client.on('notification', (message) => {
      if (message.channel !== channel) return;
      clearTimeout(timer);
      resolve(true);
    });
  });
  await sql`select pg_notify(${channel}, '')`.execute(db);
  const isReceived = await received;
  await client.query(`unlisten ${channel}`);
  if (!isReceived) throw transactionPooler();
}

function transactionPooler(): WorkerStartError {
  const { code, message, hint } = TRANSACTION_POOLER;
  return new WorkerStartError(code, message, hint);
}
