/**
 * Whether callers see a row: the real query, with each caller's role and claims, just after the change. Checks of one
 * batch go down one connection in one transaction without waiting for each other; a hundred callers take a few
 * milliseconds.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql, TransactionSql } from 'postgres';
import type { Identity } from '../identity.ts';
import { isUnreachable, settingsOf } from '../database.ts';
import { quote } from '../rest/statement.ts';
import type { TableFacts } from './relations.ts';
import type { Change } from './replication.ts';

/** How long a commit that is not visible yet is waited for before the next look, in milliseconds. */
const SETTLE_MS = 1;

export interface Check {
  identity: Identity;
  change: Change;
  facts: TableFacts;
}

function statement({ change, facts }: Check): { text: string; values: string[] } {
  const { schema, name } = change.relation;
  const conditions = facts.primaryKey.map(
    (column, place) => `${quote(column)} = ($${place + 1}::text)::${facts.types.get(column)!.sql}`,
  );
  return {
    text: `select exists (select 1 from ${quote(schema)}.${quote(name)} where ${conditions.join(' and ')}) as visible`,
    values: facts.primaryKey.map((column) => change.row?.[column] ?? ''),
  };
}

/**
 * The stream can be faster than the commit is visible to others: a transaction leaves the list of running ones only after
 * its record is on disk. The 32 bits of the stream's id are completed to the id nearest to the present one.
 */
function isSettled(transaction: TransactionSql, xid: number): PromiseLike<boolean> {
  return transaction<{ settled: boolean }[]>`
    select pg_visible_in_snapshot(
      (round((xmax - ${xid}::bigint) / 4294967296.0) * 4294967296 + ${xid}::bigint)::text::xid8, pg_current_snapshot()) as settled
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax) as present`.then(
    ([row]) => row!.settled,
  );
}

/** The answers, or undefined while the transaction that made the changes is not visible to others. */
async function runChecks(sql: Sql, xid: number, checks: readonly Check[]): Promise<boolean[] | undefined> {
  const { answers } = await sql.begin('read only', async (transaction) => {
    const settled = isSettled(transaction, xid);
    const seen = checks.map((check) => {
      const settings = Object.entries(settingsOf(check.identity));
      const { text, values } = statement(check);
      const set = transaction`
        select set_config(name, value, true)
        from unnest(${settings.map(([name]) => name)}::text[], ${settings.map(([, value]) => value)}::text[]) as setting (name, value)`;
      const found = transaction.unsafe<{ visible: boolean }[]>(text, values, { prepare: true });
      return Promise.all([set, found]).then(([, rows]) => rows[0]!.visible);
    });
    const [isOver, visible] = await Promise.all([settled, Promise.all(seen)]);
    return { answers: isOver ? visible : undefined };
  });
  return answers;
}

async function runSettled(sql: Sql, xid: number, checks: readonly Check[]): Promise<boolean[]> {
  for (;;) {
    const answers = await runChecks(sql, xid, checks);
    if (answers) return answers;
    await delay(SETTLE_MS);
  }
}

/**
 * One answer per check, in order. A check that fails (a policy that raises, a missing grant) counts as not visible.
 * @throws whatever says that Postgres is away: nobody knows then
 */
export async function checkVisible(sql: Sql, xid: number, checks: readonly Check[]): Promise<boolean[]> {
  if (checks.length === 0) return [];
  try {
    return await runSettled(sql, xid, checks);
  } catch (error) {
    if (isUnreachable(error)) throw error;
    const one = (check: Check): Promise<boolean> =>
      runSettled(sql, xid, [check]).then(
        ([visible]) => visible === true,
        (fault: unknown) => {
          if (isUnreachable(fault)) throw fault;
          return false;
        },
      );
    return Promise.all(checks.map(one));
  }
}
