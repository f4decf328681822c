/** Typed wrappers of the SQL functions that monitoring reads. */
import { sql } from 'kysely';
import { z } from 'zod';
import type { Db } from './database.ts';

const DatabaseReadings = z.object({
  live_jobs: z.array(z.object({ stage: z.string(), waiting_on: z.string(), jobs: z.number() })),
  ended_jobs: z.array(z.object({ result: z.string(), jobs: z.number() })),
  stuck_jobs: z.array(z.object({ cause: z.string(), jobs: z.number() })),
  tasks: z.array(z.object({ kind: z.string(), state: z.string(), tasks: z.number() })),
  ready_task_age_sec: z.number(),
  lease_age_sec: z.number(),
  ready_without_entry: z.number(),
  queue_due: z.number(),
  queue_later: z.number(),
  queue_locked: z.number(),
  queue_age_sec: z.number(),
  circuits: z.array(z.object({ service: z.string(), state: z.string(), open_sec: z.number() })),
  workers: z.number(),
  places: z.number(),
  slots: z.number(),
  pauses: z.number(),
  deletions_due: z.number(),
  events_due: z.number(),
});
/** State of jobs, tasks, queue, circuits and workers. */
export type DatabaseReadings = z.infer<typeof DatabaseReadings>;

/** Files of the bucket below one of its first folders. */
export interface StorageFolder {
  folder: string;
  files: number;
  bytes: number;
}

/** Reads the state of jobs, tasks, queue, circuits and workers. */
export async function readDatabase(db: Db): Promise<DatabaseReadings> {
  const { rows } = await sql<{ answer: unknown }>`select mashup.metrics() as answer`.execute(db);
  return DatabaseReadings.parse(rows[0]?.answer);
}

/** Reads number and size of the files in the bucket. */
export async function readStorageBytes(db: Db): Promise<StorageFolder[]> {
  const { rows } = await sql<{
    folder: string;
    files: string;
    bytes: string;
  }>`select folder, files, bytes from mashup.storage_bytes()`.execute(db);
  return rows.map(({ folder, files, bytes }) => ({ folder, files: Number(files), bytes: Number(bytes) }));
}

/** Returns the state of the circuit breaker of Storage: `closed`, `open` or `half_open`. */
export async function readStorageCircuit(db: Db): Promise<string> {
  const row = await db
    .selectFrom('mashup.service_health')
    .select('state')
    .where('service', '=', 'storage')
    .executeTakeFirst();
  return row?.state ?? 'closed';
}
