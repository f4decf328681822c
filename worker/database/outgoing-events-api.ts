/** Typed wrappers of the SQL functions that deliver events. */
import { sql } from 'kysely';
import type { Db } from './database.ts';

/** An event for other programs. */
export interface OutgoingEvent {
  seq: string;
  /** The same in every delivery. */
  id: string;
  job_id: string;
  attempts: number;
  payload: { type: string; timestamp: string; data: Record<string, unknown> };
}

/** Leases due events to this worker for half a minute, one of each job, and notifies channel `mashup_events` of them. */
export async function claimOutgoingEvents(db: Db, limit: number): Promise<OutgoingEvent[]> {
  const { rows } = await sql<OutgoingEvent>`
    select seq, id, job_id, attempts, payload from mashup.claim_outgoing_events(${limit}::int)`.execute(db);
  return rows;
}

/** Records that an event was delivered, or with `error` why not. */
export async function completeOutgoingEvent(db: Db, { seq }: OutgoingEvent, error?: string): Promise<void> {
  await sql`select mashup.complete_outgoing_event(${seq}::bigint, ${error ?? null}::text)`.execute(db);
}
