/** Checks that a connection delivers notifications. */
import { sql } from 'kysely';
import type pg from 'pg';
import { WorkerStartError } from '../errors.ts';
import type { Db } from './database.ts';

/** A notification that takes longer counts as lost. */
const NOTIFICATION_TIMEOUT_MS = 3_000;

/**
 * Sends a notification from another connection and waits for it. A transaction-mode pooler accepts LISTEN and delivers
 * nothing.
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
  if (isReceived) return;
  throw new WorkerStartError(
    'transaction_pooler',
    'This connection does not deliver notifications: DATABASE_URL goes through a transaction-mode pooler.',
    'Use the direct connection, or the session pooler (on hosted Supabase port 5432 instead of 6543).',
  );
}
