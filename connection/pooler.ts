/** Recognizes poolers in transaction mode, behind which LISTEN, session locks and settings of a session do not work. */

/** One round proves nothing if the pooler has idle server connections; under load it may choose any of them. */
const ROUNDS = 4;

/** Message and hint for a connection that goes through a transaction-mode pooler. */
export const TRANSACTION_POOLER = {
  code: 'transaction_pooler',
  message:
    'DATABASE_URL goes through a transaction-mode pooler: it does not deliver notifications, and session locks do not hold',
  hint: 'Use the direct connection, or the session pooler (on hosted Supabase port 5432 instead of 6543; in PgBouncer pool_mode = session).',
};

/** Returns the process id of the server connection that runs a statement. */
export type ServerPid = () => Promise<number>;

/**
 * Tells whether two open connections share a server connection, or one of them changes it: the pooler assigns server
 * connections by transaction. A pooler that is new to both has one server connection and gives it to each in turn.
 */
export async function isTransactionPooled(first: ServerPid, second: ServerPid): Promise<boolean> {
  const [ownFirst, ownSecond] = [await first(), await second()];
  if (ownFirst === ownSecond) return true;
  for (let round = 0; round < ROUNDS; round++) {
    if ((await second()) !== ownSecond || (await first()) !== ownFirst) return true;
  }
  return false;
}
