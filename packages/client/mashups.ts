/** Operations of a user on mashups: submit, start, cancel, retry, replay, iterate, edit, delete, download. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema/constants.ts';
import type {
  EditAnswer,
  GenerateMashupAnswer,
  IterationAnswer,
  Submission as WireSubmission,
} from '../../schema/api.ts';
import { invoke, rpc } from './calls.ts';
import type { CallOptions } from './calls.ts';
import { MashupClientError } from './errors.ts';
import type { PlanEdit } from './plan-edit.ts';
import type { Iteration, MashupJob, MashupOptions, ReplayStage, Submission, SubmittedSong } from './types.ts';
import { toCamel, toSnake } from './wire.ts';

/** Life of a download link in seconds. */
const LINK_SECONDS = 3600;

export interface SubmitOptions extends CallOptions, MashupOptions {
  /** `planning`: a draft, which waits for `startMashup` after it is analysed and scored. */
  hold?: 'planning';
  /** The same key with the same request returns the same job, so that a call can be repeated. Default: a new key. */
  idempotencyKey?: string;
}

/** A submitted mashup, and who reads its wishes: the rules, at once, or a language model when it plans. */
export interface SubmittedMashup extends Submission {
  wishesReadBy: 'rules' | 'planner';
}

/** Submits two or three uploaded songs (a draft: one to three). @throws MashupClientError */
export async function submitMashup(
  supabase: SupabaseClient,
  songs: SubmittedSong[],
  { signal, hold, idempotencyKey = crypto.randomUUID(), ...options }: SubmitOptions = {},
): Promise<SubmittedMashup> {
  const body = toSnake({ songs, options, hold, idempotencyKey });
  const answer = toCamel(await invoke<GenerateMashupAnswer>(supabase, 'generate-mashup', body, { signal }));
  const { jobId, stage, status, progress, existing, queuePosition, estimatedCompletionAt, songsCount } = answer;
  const { wishesReadBy } = answer;
  return {
    jobId,
    stage: stage as Submission['stage'],
    status: status as Submission['status'],
    progress,
    existing,
    queuePosition,
    estimatedCompletionAt,
    songsCount,
    wishesReadBy,
  };
}

/** Starts a draft. @throws MashupClientError */
export function startMashup(supabase: SupabaseClient, jobId: string, options?: MashupOptions): Promise<Submission> {
  return act(supabase, 'start_mashup', { jobId, options: options ?? null });
}

/** Cancels a live job. A cancelled job stays unchanged. @throws MashupClientError */
export function cancelMashup(supabase: SupabaseClient, jobId: string): Promise<Submission> {
  return act(supabase, 'cancel_mashup', { jobId });
}

/** Resumes a failed or cancelled job in the stage where it stopped. @throws MashupClientError */
export function retryMashup(supabase: SupabaseClient, jobId: string): Promise<Submission> {
  return act(supabase, 'retry_mashup', { jobId });
}

/** Replays a job from a stage; `fresh` ignores cached analyses and stems. @throws MashupClientError */
export function replayMashup(
  supabase: SupabaseClient,
  jobId: string,
  stage: ReplayStage,
  options: { fresh?: boolean } = {},
): Promise<Submission> {
  return act(supabase, 'replay_mashup', { jobId, stage, fresh: options.fresh ?? false });
}

/** Deletes a job with its files. @throws MashupClientError */
export async function deleteMashup(supabase: SupabaseClient, jobId: string): Promise<void> {
  await rpc(supabase, 'delete_mashup', toSnake({ jobId }));
}

async function act(supabase: SupabaseClient, name: string, parameters: object): Promise<Submission> {
  return toCamel(await rpc<WireSubmission>(supabase, name, toSnake(parameters))) as Submission;
}

/**
 * Requests an iteration of a mashup by feedback in words. Returns the id of the new job.
 * @throws MashupClientError, among others `wish_not_understood` and `wish_changes_nothing`, with the reason in `details`
 */
export async function iterateMashup(
  supabase: SupabaseClient,
  jobId: string,
  userFeedback: string,
  { signal, idempotencyKey = crypto.randomUUID(), ...options }: SubmitOptions = {},
): Promise<Iteration> {
  // The names jobId and userFeedback are those of the existing function.
  const body = { jobId, userFeedback, options: toSnake(options), idempotency_key: idempotencyKey };
  const answer = await invoke<IterationAnswer>(supabase, 'claude-mashup-iteration', body, { signal });
  return {
    jobId: answer.jobId,
    parentId: answer.parent_id,
    existing: answer.existing,
    estimatedCompletionAt: answer.estimated_completion_at,
  };
}

/**
 * Submits edits of a mashup's plan by hand. Returns the id of the new job.
 * @param planVersion version of the plan that is edited: `MashupJob.planVersion`
 * @throws MashupClientError, among others `edit_not_possible`, whose message says which edit and why, and `plan_outdated`
 */
export async function editMashup(
  supabase: SupabaseClient,
  jobId: string,
  planVersion: number,
  edits: readonly PlanEdit[],
  { signal, idempotencyKey = crypto.randomUUID() }: CallOptions & { idempotencyKey?: string } = {},
): Promise<Iteration> {
  const body = { jobId, plan_version: planVersion, edits, idempotency_key: idempotencyKey };
  const answer = await invoke<EditAnswer>(supabase, 'edit-mashup', body, { signal });
  return {
    jobId: answer.jobId,
    parentId: answer.parent_id,
    existing: answer.existing,
    estimatedCompletionAt: answer.estimated_completion_at,
  };
}

/** What to do about a mashup without a file. */
function hintWithoutFile({ takedownReason, expiredAt, status }: Parameters<typeof signResultUrl>[1]): string {
  if (takedownReason !== null) return `It was taken down: ${takedownReason}`;
  if (expiredAt !== null) return 'Its file has expired: replay it from rendering.';
  return status === 'failed' || status === 'cancelled'
    ? 'It was not finished: retry it.'
    : 'Wait until it is complete.';
}

/**
 * Signs a link to a job's result, which is valid for an hour.
 * @param options.download file name under which a browser saves the file; without it the browser plays it
 * @throws MashupClientError `no_result`
 */
export async function signResultUrl(
  supabase: SupabaseClient,
  job: Pick<MashupJob, 'resultPath' | 'expiredAt' | 'takedownReason'> & Partial<Pick<MashupJob, 'status'>>,
  options: { download?: string } = {},
): Promise<string> {
  if (job.resultPath === null) {
    throw new MashupClientError('no_result', 'This mashup has no file.', {
      hint: hintWithoutFile(job),
    });
  }
  const { data, error } = await supabase.storage.from(BUCKET).createSignedUrl(job.resultPath, LINK_SECONDS);
  if (error) {
    throw new MashupClientError('no_result', 'The file of this mashup is not available.', {
      hint: 'A replay may be running, or the mashup belongs to another user.',
      details: error.message,
      cause: error,
    });
  }
  // The option `download` of storage-js 2.119 encodes the name twice: `A & B` would be saved as `A %26 B`.
  return options.download === undefined
    ? data.signedUrl
    : `${data.signedUrl}&download=${encodeURIComponent(options.download)}`;
}
