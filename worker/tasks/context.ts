/** What handlers of tasks work with. */
import type { ServiceName } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import type { WorkerLimits } from '../config.ts';
import type { Db } from '../database/database.ts';
import { TaskError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Claim } from '../database/database-api.ts';
import type { Storage } from '../services/storage.ts';

/** A worker's parts. */
export interface WorkerContext {
  id: string;
  db: Db;
  storage: Storage;
  serviceUrls: Record<ServiceName, string>;
  limits: WorkerLimits;
  log: Log;
}

/** A worker's parts and one claimed task. */
export interface TaskContext extends WorkerContext {
  claim: Claim;
  /** When the claim was made, by the monotonic clock (`performance.now()`). */
  startedAt: number;
  /** Aborts when the claim is void or the task takes too long. */
  signal: AbortSignal;
  /** Tells progress (0..1 of the task) and what is being done. */
  tell: (progress: number | undefined, step: string | undefined) => void;
}

/** Room between a call's limit and its task's, to report in. */
const REPORT_ROOM_MS = 5_000;
/** A signed URL outlives its task by this much. */
const URL_MARGIN_SEC = 300;

/** Longest time that a service call of this task may take from now on. */
export function callLimitMs({ claim, startedAt }: TaskContext): number {
  return Math.max(1_000, Math.floor(claim.timeout_sec * 1000 - (performance.now() - startedAt) - REPORT_ROOM_MS));
}

/** How long a signed URL for this task must live. */
export function urlSeconds(claim: Claim): number {
  return claim.timeout_sec + URL_MARGIN_SEC;
}

/** The songs that are still in the job. */
export function goodSongs(claim: Claim): SongCard[] {
  return claim.songs.filter((song) => song.state !== 'excluded');
}

/** The card of the song that the task is for. */
export function songOf(claim: Claim): SongCard {
  const song = claim.songs.find((candidate) => candidate.song_id === claim.song_id);
  if (song) return song;
  throw missingInput('The song of this task is not in its job any more.', 'Submit the songs again.');
}

/** Something that an earlier stage must have left is not there. */
export function missingInput(message: string, hint: string): TaskError {
  return new TaskError(message, { code: 'missing_input', hint, faultClass: 'permanent' });
}
