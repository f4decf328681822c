/** The call with which a worker writes log lines of its tasks. */
import { sql } from 'kysely';
import type { TaskLogLevel } from '../../schema/database.ts';
import type { Db } from './database.ts';

/** A log line of a task, without secrets and paths. */
export interface TaskLogLine {
  /** Id of the task. */
  task: string;
  /** Claim token of the attempt that wrote it. */
  claim: string;
  /** How long ago it was written, in seconds: the database has the only clock that counts. */
  age_sec: number;
  level: TaskLogLevel;
  line: string;
  fields: Record<string, string | number | boolean | null>;
}

/** Writes lines, in their order. Returns whether they were accepted: those of a worker that is not registered are not. */
export async function writeTaskLogs(db: Db, workerId: string, lines: readonly TaskLogLine[]): Promise<boolean> {
  const { rows } = await sql<{ count: number | null }>`
    select mashup.write_task_logs(${workerId}::uuid, ${JSON.stringify(lines)}::jsonb) as count`.execute(db);
  return rows[0]?.count !== null;
}
