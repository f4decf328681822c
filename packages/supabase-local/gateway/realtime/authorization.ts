/** Private channels: policies on realtime.messages decide, tried with real rows in a transaction that is undone. */
import type { Sql } from 'postgres';
import { withIdentity, databaseError, settingsOf } from '../database.ts';
import type { Identity } from '../identity.ts';

const EXTENSIONS = ['broadcast', 'presence'];

/** Carries an answer out of a transaction that is undone. */
class RolledBack extends Error {
  readonly answer: boolean;

  constructor(answer: boolean) {
    super();
    this.answer = answer;
  }
}

async function undone(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof RolledBack) return error.answer;
    if (databaseError(error)) return false;
    throw error;
  }
}

/** Whether the caller sees messages of the topic. */
export function canRead(sql: Sql, identity: Identity, topic: string): Promise<boolean> {
  const settings = { ...settingsOf(identity), 'realtime.topic': topic };
  return undone(
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

/** Whether the caller may write messages of that kind to the topic. */
export function canWrite(sql: Sql, identity: Identity, topic: string, extension: string): Promise<boolean> {
  return undone(
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
