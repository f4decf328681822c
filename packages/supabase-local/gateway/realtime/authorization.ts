/**
 * Private channels: policies on realtime.messages decide. They are tested with real rows in a transaction that is rolled
 * back.
 */
import type { Sql } from 'postgres';
import { withIdentity, databaseError, settingsOf } from '../database.ts';
import type { Identity } from '../identity.ts';

const EXTENSIONS = ['broadcast', 'presence'];

/** Rolls a transaction back and carries its result out of it. */
class RolledBack extends Error {
  readonly result: boolean;

  constructor(result: boolean) {
    super();
    this.result = result;
  }
}

async function resultOf(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof RolledBack) return error.result;
    if (databaseError(error)) return false;
    throw error;
  }
}

/** Tests whether the caller may read messages of a topic. */
export function canRead(sql: Sql, identity: Identity, topic: string): Promise<boolean> {
  const settings = { ...settingsOf(identity), 'realtime.topic': topic };
  return resultOf(
    sql.begin(async (transaction) => {
      const rows = await transaction<{ id: string }[]>`
        insert into realtime.messages (topic, extension)
        select ${topic}, unnest(${EXTENSIONS}::text[]) returning id`;
      await transaction`
        select set_config(name, value, true)
        from unnest(${Object.keys(settings)}::text[], ${Object.values(settings)}::text[]) as setting (name, value)`;
      const seen = await transaction`
        select 1 from realtime.messages where id = any(${rows.map((row) => row.id)}::uuid[]) limit 1`;
      throw new RolledBack(seen.length > 0);
    }),
  );
}

/** Tests whether the caller may write messages of a kind (`broadcast` or `presence`) to a topic. */
export function canWrite(sql: Sql, identity: Identity, topic: string, extension: string): Promise<boolean> {
  return resultOf(
    withIdentity(
      sql,
      identity,
      async (transaction) => {
        await transaction`insert into realtime.messages (topic, extension) values (${topic}, ${extension})`;
        throw new RolledBack(true);
      },
      { settings: { 'realtime.topic': topic } },
    ),
  );
}
