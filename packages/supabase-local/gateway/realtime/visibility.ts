/**
 * Reads, for the changes of one transaction, the privileges of roles and whether callers see a row. Visibility is tested
 * with the real query under each caller's role and claims, just after the change. All queries are pipelined on one
 * connection in one transaction, including its begin and commit: one round trip to the server.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { isUnreachable, settingsOf } from '../database.ts';
import type { Identity } from '../identity.ts';
import { quote } from '../rest/statement.ts';
import { readPrivileges } from './privileges.ts';
import type { PrivilegesKey, TablePrivileges } from './privileges.ts';
import type { TableInfo } from './table-info.ts';
import type { Change } from './transactions.ts';

/** How often a commit that is not visible yet is tested again without a delay. */
const IMMEDIATE_RETRIES = 5;
/** Delay before each further test, in milliseconds. */
const RETRY_MS = 1;

/** A row whose visibility to one caller is tested. */
export interface RowCheck {
  identity: Identity;
  change: Change;
  info: TableInfo;
}

/** What is read for a batch of changes. */
export interface VisibilityQuery {
  privileges: readonly PrivilegesKey[];
  checks: readonly RowCheck[];
}

/** Privileges by `privilegesKey`, and one `visible` for each check, in the same order. */
export interface VisibilityResult {
  privileges: Map<string, TablePrivileges>;
  visible: boolean[];
}

function rowStatement({ change, info }: RowCheck): { text: string; values: string[] } {
  const { schema, name } = change.relation;
  const conditions = info.primaryKey.map(
    (column, index) => `${quote(column)} = ($${index + 1}::text)::${info.types.get(column)!.sql}`,
  );
  return {
    text: `select current_user::text as role, exists (select 1 from ${quote(schema)}.${quote(name)} where ${conditions.join(' and ')}) as visible`,
    values: info.primaryKey.map((column) => change.row?.[column] ?? ''),
  };
}

/**
 * Tests whether a commit is visible to other sessions. The stream can be faster: a transaction leaves the list of running
 * transactions only after its WAL record is on disk. The stream has the lower 32 bits of the transaction id; they are
 * completed to the full id that is nearest to the present one.
 */
function isCommitVisible(sql: Sql, xid: number): PromiseLike<boolean> {
  return sql<{ visible: boolean }[]>`
    select pg_visible_in_snapshot(
      (round((xmax - ${xid}::bigint) / 4294967296.0) * 4294967296 + ${xid}::bigint)::text::xid8, pg_current_snapshot()) as visible
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax) as present`.then(
    ([row]) => row!.visible,
  );
}

/** Returns undefined if the role was not in effect, because the connection was lost between the two statements. */
function isRowVisible(sql: Sql, check: RowCheck): Promise<boolean | undefined> {
  const settings = Object.entries(settingsOf(check.identity));
  const { text, values } = rowStatement(check);
  const set = sql`
    select set_config(name, value, true)
    from unnest(${settings.map(([name]) => name)}::text[], ${settings.map(([, value]) => value)}::text[]) as setting (name, value)`.execute();
  const found = sql.unsafe<{ role: string; visible: boolean }[]>(text, values, { prepare: true }).execute();
  return Promise.all([set, found]).then(([, [row]]) => (row?.role === check.identity.role ? row.visible : undefined));
}

/** Returns undefined while the transaction that made the changes is not visible to other sessions. */
async function queryOnce(sql: Sql, xid: number, query: VisibilityQuery): Promise<VisibilityResult | undefined> {
  // Sent in this order (`then` sends as well): the checks take roles that may not read all that the first queries read.
  const [, isVisible, privileges, results] = await Promise.all([
    sql.unsafe('begin read only').execute(),
    isCommitVisible(sql, xid),
    readPrivileges(sql, query.privileges),
    Promise.all(query.checks.map((check) => isRowVisible(sql, check))),
    sql.unsafe('commit').execute(),
  ]);
  const visible = results.filter((result) => result !== undefined);
  return isVisible && visible.length === query.checks.length ? { privileges, visible } : undefined;
}

async function queryUntilVisible(sql: Sql, xid: number, query: VisibilityQuery): Promise<VisibilityResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await queryOnce(sql, xid, query);
    if (result) return result;
    if (attempt > IMMEDIATE_RETRIES) await delay(RETRY_MS);
  }
}

/**
 * Reads privileges and visibility.
 * @param sql a pool of a single connection
 * @param xid lower 32 bits of the id of the transaction that made the changes
 * @returns a check that fails (a policy raises an error, a grant is missing) counts as not visible
 * @throws the connection error if Postgres cannot be reached
 */
export async function queryVisibility(sql: Sql, xid: number, query: VisibilityQuery): Promise<VisibilityResult> {
  try {
    return await queryUntilVisible(sql, xid, query);
  } catch (error) {
    if (isUnreachable(error) || query.checks.length === 0) throw error;
    const [{ privileges }, visible] = await Promise.all([
      queryUntilVisible(sql, xid, { privileges: query.privileges, checks: [] }),
      Promise.all(query.checks.map((check) => queryOneCheck(sql, xid, check))),
    ]);
    return { privileges, visible };
  }
}

async function queryOneCheck(sql: Sql, xid: number, check: RowCheck): Promise<boolean> {
  try {
    const { visible } = await queryUntilVisible(sql, xid, { privileges: [], checks: [check] });
    return visible[0] === true;
  } catch (error) {
    if (isUnreachable(error)) throw error;
    return false;
  }
}
