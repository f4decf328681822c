/**
 * Whether callers see a row: the real query, with each caller's role and claims, just after the change. Checks of one
 * batch go down one connection in one transaction without waiting for each other; a hundred callers take a few
 * milliseconds.
 */
import type { Sql } from 'postgres';
import type { Identity } from '../identity.ts';
import { settingsOf } from '../database.ts';
import { quote } from '../rest/statement.ts';
import type { TableFacts } from './relations.ts';
import type { Change } from './replication.ts';

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

function runChecks(sql: Sql, checks: readonly Check[]): Promise<boolean[]> {
  return sql.begin('read only', async (transaction) => {
    const answers = checks.map((check) => {
      const settings = Object.entries(settingsOf(check.identity));
      const { text, values } = statement(check);
      const set = transaction`
        select set_config(name, value, true)
        from unnest(${settings.map(([name]) => name)}::text[], ${settings.map(([, value]) => value)}::text[]) as setting (name, value)`;
      const seen = transaction.unsafe<{ visible: boolean }[]>(text, values, { prepare: true });
      return Promise.all([set, seen]).then(([, rows]) => rows[0]!.visible);
    });
    return Promise.all(answers);
  }) as Promise<boolean[]>;
}

/** One answer per check, in order. A check that fails (a policy that raises, a missing grant) counts as not visible. */
export async function checkVisible(sql: Sql, checks: readonly Check[]): Promise<boolean[]> {
  if (checks.length === 0) return [];
  try {
    return await runChecks(sql, checks);
  } catch {
    const one = (check: Check): Promise<boolean> =>
      runChecks(sql, [check]).then(
        ([visible]) => visible === true,
        () => false,
      );
    return Promise.all(checks.map(one));
  }
}
