/** A job's row as the REST API and Realtime send it: the columns of `mashup_jobs`, with times as ISO strings. */
import type { Selectable } from 'kysely';
import type { MashupJobsTable } from './database.ts';

type OverTheWire<T> = { [K in keyof T]: T[K] extends Date ? string : T[K] extends Date | null ? string | null : T[K] };

/** A row of `mashup_jobs` in JSON. */
export type MashupJob = OverTheWire<Selectable<MashupJobsTable>>;
