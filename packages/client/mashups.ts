/** What a user does with mashups: submit, start, cancel, retry, replay, change, delete, download. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema/constants.ts';
import type {
  GenerateMashupAnswer,
  IterationAnswer,
  Submission,
  SubmittedOptions,
  SubmittedSong,
} from '../../schema/api.ts';
import type { ReplayStage } from '../../schema/database.ts';
import type { MashupJob } from '../../schema/job.ts';
import { invoke, rpc } from './calls.ts';
import type { CallOptions } from './calls.ts';
import { MashupClientError } from './errors.ts';

/** Life of a download link in seconds. Sign a new one when it is over. */
const LINK_SECONDS = 3600;

export interface SubmitOptions extends CallOptions, SubmittedOptions {
  /** `planning`: a draft, which waits for `startMashup` once it is analysed and scored. */
  hold?: 'planning';
  /** The same key with the same request gives the same job: safe to repeat. Default: a fresh one. */
  idempotencyKey?: string;
}

/** Submits two or three uploaded songs (a draft: one to three). Throws MashupClientError. */
export function submitMashup(
  supabase: SupabaseClient,
  songs: SubmittedSong[],
  { signal, hold, idempotencyKey = crypto.randomUUID(), ...options }: SubmitOptions = {},
): Promise<GenerateMashupAnswer> {
  const body = { songs, options, hold, idempotency_key: idempotencyKey };
  return invoke<GenerateMashupAnswer>(supabase, 'generate-mashup', body, { signal });
}

/** Starts a draft. Throws MashupClientError. */
export function startMashup(supabase: SupabaseClient, jobId: string, options?: SubmittedOptions): Promise<Submission> {
  return rpc(supabase, 'start_mashup', { job_id: jobId, options: options ?? null });
}

/** Cancels a live job; a cancelled one stays as it is. Throws MashupClientError. */
export function cancelMashup(supabase: SupabaseClient, jobId: string): Promise<Submission> {
  return rpc(supabase, 'cancel_mashup', { job_id: jobId });
}

/** Resumes a failed or cancelled job where it stopped. Throws MashupClientError. */
export function retryMashup(supabase: SupabaseClient, jobId: string): Promise<Submission> {
  return rpc(supabase, 'retry_mashup', { job_id: jobId });
}

/** Runs a job again from a stage; `fresh` works analyses and stems out anew. Throws MashupClientError. */
export function replayMashup(
  supabase: SupabaseClient,
  jobId: string,
  stage: ReplayStage,
  options: { fresh?: boolean } = {},
): Promise<Submission> {
  return rpc(supabase, 'replay_mashup', { job_id: jobId, stage, fresh: options.fresh ?? false });
}

/** Deletes a job with its files. Throws MashupClientError. */
export async function deleteMashup(supabase: SupabaseClient, jobId: string): Promise<void> {
  await rpc(supabase, 'delete_mashup', { job_id: jobId });
}

/** Asks for a new version in words; the answer names a new job to follow. Throws MashupClientError. */
export function iterateMashup(
  supabase: SupabaseClient,
  jobId: string,
  userFeedback: string,
  { signal, idempotencyKey = crypto.randomUUID(), ...options }: SubmitOptions = {},
): Promise<IterationAnswer> {
  const body = { jobId, userFeedback, options, idempotency_key: idempotencyKey };
  return invoke<IterationAnswer>(supabase, 'claude-mashup-iteration', body, { signal });
}

/**
 * A link to a job's result that lives an hour.
 * @param download file name under which a browser saves it; without it the browser plays it
 * @throws MashupClientError `no_result`, or what Storage says
 */
export async function signResultUrl(
  supabase: SupabaseClient,
  job: Pick<MashupJob, 'result_path' | 'expired_at'>,
  options: { download?: string } = {},
): Promise<string> {
  if (job.result_path === null) {
    throw new MashupClientError('no_result', 'This mashup has no file.', {
      hint: job.expired_at === null ? 'Wait until it is complete.' : 'Its file has expired: replay it from rendering.',
    });
  }
  const { data, error } = await supabase.storage
    .from(BUCKET)
    .createSignedUrl(
      job.result_path,
      LINK_SECONDS,
      options.download === undefined ? {} : { download: options.download },
    );
  if (error) {
    throw new MashupClientError('no_result', 'The file of this mashup cannot be had.', {
      hint: "It may be a replay that is under way, or somebody else's mashup.",
      details: error.message,
      cause: error,
    });
  }
  return data.signedUrl;
}
