/**
 * Who may see what of the changes of a transaction: the rights of roles, and whether callers see a row by the real query, with
 * each caller's role and claims, just after the change. All questions go down one connection in one transaction, the
 * transaction's own begin and commit included, and wait for no answer in between: one trip to the server and back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import type { Identity } from '../identity.ts';
import { isUnreachable, settingsOf } from '../database.ts';
import { quote } from '../rest/statement.ts';
import type { TableFacts } from './relations.ts';
import type { Change } from './replication.ts';
import { readPrivileges } from './privileges.ts';
import type { TablePrivileges, PrivilegesKey } from './privileges.ts';

/** A commit that is not visible yet is looked for again at once, so often; */
const QUICK_LOOKS = 5;
/** then after this, in milliseconds. */
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
    text: `select current_user::text as role, exists (select 1 from ${quote(schema)}.${quote(name)} where ${conditions.join(' and ')}) as visible`,
    values: facts.primaryKey.map((column) => change.row?.[column] ?? ''),
  };
}

/**
 * The stream can be faster than the commit is visible to others: a transaction leaves the list of running ones only after
 * its record is on disk. The 32 bits of the stream's id are completed to the id nearest to the present one.
 */
function isSettled(sql: Sql, xid: number): PromiseLike<boolean> {
  return sql<{ settled: boolean }[]>`
    select pg_visible_in_snapshot(
      (round((xmax - ${xid}::bigint) / 4294967296.0) * 4294967296 + ${xid}::bigint)::text::xid8, pg_current_snapshot()) as settled
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax) as present`.then(
    ([row]) => row!.settled,
  );
}

/** What is asked about a batch of changes, and the answers: rights by `rightsKey`, one `visible` per check, in order. */
export interface Questions {
  rights: readonly PrivilegesKey[];
  checks: readonly Check[];
}
export interface Answers {
  rights: Map<string, TablePrivileges>;
  visible: boolean[];
}

/** The answer; undefined where the caller's role did not hold, since the connection was lost between the statements. */
function isVisible(sql: Sql, { identity, change, facts }: Check): Promise<boolean | undefined> {
  const settings = Object.entries(settingsOf(identity));
  const { text, values } = statement({ identity, change, facts });
  const set = sql`
    select set_config(name, value, true)
    from unnest(${settings.map(([name]) => name)}::text[], ${settings.map(([, value]) => value)}::text[]) as setting (name, value)`.execute();
  const found = sql.unsafe<{ role: string; visible: boolean }[]>(text, values, { prepare: true }).execute();
  return Promise.all([set, found]).then(([, [row]]) => (row?.role === identity.role ? row.visible : undefined));
}

/** The answers, or undefined while the transaction that made the changes is not visible to others. */
async function askOnce(sql: Sql, xid: number, { rights, checks }: Questions): Promise<Answers | undefined> {
  // Sent in this order, each as it is written here (`then` sends as well): the checks take roles that may not look everything up.
  const [, settled, known, answers] = await Promise.all([
    sql.unsafe('begin read only').execute(),
    isSettled(sql, xid),
    readPrivileges(sql, rights),
    Promise.all(checks.map((check) => isVisible(sql, check))),
    sql.unsafe('commit').execute(),
  ]);
  const visible = answers.filter((answer) => answer !== undefined);
  return settled && visible.length === checks.length ? { rights: known, visible } : undefined;
}

async function askSettled(sql: Sql, xid: number, questions: Questions): Promise<Answers> {
  for (let look = 1; ; look++) {
    const answers = await askOnce(sql, xid, questions);
    if (answers) return answers;
    if (look > QUICK_LOOKS) await delay(SETTLE_MS);
  }
}

/**
 * Asks everything, on a pool of a single connection. A check that fails (a policy that raises, a missing grant) counts as not
 * visible.
 * @throws whatever says that Postgres is away: nobody knows then
 */
export async function ask(sql: Sql, xid: number, questions: Questions): Promise<Answers> {
  try {
    return await askSettled(sql, xid, questions);
  } catch (error) {
    if (isUnreachable(error) || questions.checks.length === 0) throw error;
    const one = (check: Check): Promise<boolean> =>
      askSettled(sql, xid, { rights: [], checks: [check] }).then(
        ({ visible: [visible] }) => visible === true,
        (fault: unknown) => {
          if (isUnreachable(fault)) throw fault;
          return false;
        },
      );
    const [{ rights }, visible] = await Promise.all([
      askSettled(sql, xid, { rights: questions.rights, checks: [] }),
      Promise.all(questions.checks.map(one)),
    ]);
    return { rights, visible };
  }
}
