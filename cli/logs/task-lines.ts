/** Log lines of a job's tasks, from the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import type { LogLine } from './lines.ts';

/** Lines of one query. */
const PAGE = 1_000;
/** Interval of the questions for new lines. Each asks for the lines after the last one. */
const POLL_MS = 1_000;

interface Row {
  id: string;
  task_id: string;
  kind: string;
  song_id: string | null;
  epoch: number;
  at: string;
  level: string;
  line: string;
  fields: Record<string, unknown>;
}

/**
 * Yields the log lines of a job in order, and with `follow` those that come until `signal` aborts.
 * @throws the errors of the database
 */
export async function* taskLines(
  sql: postgres.Sql,
  jobId: string,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<LogLine> {
  let after = '0';
  while (!signal.aborted) {
    const rows = await sql<Row[]>`
      select id, task_id, kind, song_id, epoch, to_json(at) #>> '{}' as at, level, line, fields
      from mashup.read_task_logs(${jobId}, null, ${after}, ${PAGE})`;
    for (const row of rows) yield toLine(row);
    after = rows.at(-1)?.id ?? after;
    if (rows.length === PAGE) continue;
    if (!follow) return;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

function toLine({ task_id, kind, song_id, epoch, at, level, line, fields }: Row): LogLine {
  return { at, source: kind, level, text: line, fields: { task: task_id, epoch, song: song_id, ...fields } };
}
