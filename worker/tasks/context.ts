/** The context of task handlers. */
import type { ServiceName, UploadTarget } from '../../schema.ts';
import type { SongCard } from '../../schema/database.ts';
import type { WorkerLimits } from '../config.ts';
import type { Db } from '../database/database.ts';
import { TaskError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { WorkerMetrics } from '../monitoring/metrics.ts';
import type { Claim } from '../database/database-api.ts';
import type { Storage } from '../services/storage.ts';
import type { TaskLogs } from '../task-logs.ts';

/** The parts of a worker that handlers use. */
export interface WorkerContext {
  id: string;
  db: Db;
  storage: Storage;
  serviceUrls: Record<ServiceName, string>;
  /** Token of each service that requires one. */
  serviceTokens: Partial<Record<ServiceName, string>>;
  /** Whether openings are rendered while songs are separated. */
  rendersOpenings: boolean;
  limits: WorkerLimits;
  log: Log;
  metrics: WorkerMetrics;
  /** Log lines of tasks, on their way to the database. */
  taskLogs: TaskLogs;
}

/** The context of one claimed task. */
export interface TaskContext extends WorkerContext {
  claim: Claim;
  /** When the claim was made, by the monotonic clock (`performance.now()`). */
  startedAt: number;
  /** Aborts when the claim is lost or the task exceeds its time limit. */
  signal: AbortSignal;
  /** Reports progress (0..1 of the task) and the text of the current step. */
  reportProgress: (progress: number | undefined, step: string | undefined) => void;
}

/** Time reserved after a call to record its result within the task's limit. */
const RECORD_MARGIN_MS = 5_000;
/** A signed URL is valid for this long after the task's limit. */
const URL_MARGIN_SEC = 300;

/**
 * Returns the time limit of a call without events from now on, in milliseconds: what the task has left, and at most the time
 * after which its service counts as silent.
 */
export function silenceLimitMs(context: TaskContext): number {
  return Math.min(callLimitMs(context), context.claim.silence_sec * 1000);
}

/** Returns the time limit of a service call of this task from now on, in milliseconds. */
export function callLimitMs({ claim, startedAt }: TaskContext): number {
  return Math.max(1_000, Math.floor(claim.timeout_sec * 1000 - (performance.now() - startedAt) - RECORD_MARGIN_MS));
}

/** Returns how long a signed URL of this task must be valid, in seconds. */
export function urlSeconds(claim: Claim): number {
  return claim.timeout_sec + URL_MARGIN_SEC;
}

/** Signs the upload of an object of this task. The service renews the URL if it expires before it is used. */
export async function uploadTarget({ claim, storage }: TaskContext, path: string): Promise<UploadTarget> {
  const renewal = { url: storage.renewalUrl, task_id: claim.task_id, claim: claim.claim };
  return { path, url: await storage.uploadUrl(path), renewal };
}

/** Returns the songs of the job that are not excluded. */
export function activeSongs(claim: Claim): SongCard[] {
  return claim.songs.filter((song) => song.state !== 'excluded');
}

/** Returns the song of the task. @throws TaskError `missing_input` if it is not in the job */
export function songOf(claim: Claim): SongCard {
  const song = claim.songs.find((candidate) => candidate.song_id === claim.song_id);
  if (song) return song;
  throw missingInput('The song of this task is no longer in its job.', 'Submit the songs again.');
}

/** Returns the error for a missing result of an earlier stage: permanent `missing_input`. */
export function missingInput(message: string, hint: string): TaskError {
  return new TaskError(message, { code: 'missing_input', hint, faultClass: 'permanent' });
}
