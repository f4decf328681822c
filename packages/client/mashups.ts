/** Operations of a user on mashups: submit, start, cancel, retry, replay, iterate, delete, download. */
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

/** Life of a download link in seconds. */
const LINK_SECONDS = 3600;

export interface SubmitOptions extends CallOptions, SubmittedOptions {
  /** `planning`: a draft, which waits for `startMashup` after it is analysed and scored. */
  hold?: 'planning';
  /** The same key with the same request returns the same job, so that a call can be repeated. Default: a new key. */
  idempotencyKey?: string;
}

/** Submits two or three uploaded songs (a draft: one to three). @throws MashupClientError */
export function submitMashup(
  supabase: SupabaseClient,
  songs: SubmittedSong[],
  { signal, hold, idempotencyKey = crypto.randomUUID(), ...options }: SubmitOptions = {},
): Promise<GenerateMashupAnswer> {
  const body = { songs, options, hold, idempotency_key: idempotencyKey };
  return invoke<GenerateMashupAnswer>(supabase, 'generate-mashup', body, { signal });
}

/** Starts a draft. @throws MashupClientError */
export function startMashup(supabase: SupabaseClient, jobId: string, options?: SubmittedOptions): Promise<Submission> {
  return rpc(supabase, 'start_mashup', { job_id: jobId, options: options ?? null });
}

/** Cancels a live job. A cancelled job stays unchanged. @throws MashupClientError */
export function cancelMashup(supabase: SupabaseClient, jobId: string): Promise<Submission> {
  return rpc(supabase, 'cancel_mashup', { job_id: jobId });
}

/** Resumes a failed or cancelled job in the stage where it stopped. @throws MashupClientError */
export function retryMashup(supabase: SupabaseClient, jobId: string): Promise<Submission> {
  return rpc(supabase, 'retry_mashup', { job_id: jobId });
}

/** Replays a job from a stage; `fresh` ignores cached analyses and stems. @throws MashupClientError */
export function replayMashup(
  supabase: SupabaseClient,
  jobId: string,
  stage: ReplayStage,
  options: { fresh?: boolean } = {},
): Promise<Submission> {
  return rpc(supabase, 'replay_mashup', { job_id: jobId, stage, fresh: options.fresh ?? false });
}

/** Deletes a job with its files. @throws MashupClientError */
export async function deleteMashup(supabase: SupabaseClient, jobId: string): Promise<void> {
  await rpc(supabase, 'delete_mashup', { job_id: jobId });
}

/** Requests an iteration of a mashup by feedback in words. Returns the id of the new job. @throws MashupClientError */
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
 * Signs a link to a job's result, which is valid for an hour.
 * @param options.download file name under which a browser saves the file; without it the browser plays it
 * @throws MashupClientError `no_result`
 */
export async function signResultUrl(
  supabase: SupabaseClient,
  job: Pick<MashupJob, 'result_path' | 'expired_at'> & { takedown_reason?: string | null },
  options: { download?: string } = {},
): Promise<string> {
  if (job.result_path === null) {
    throw new MashupClientError('no_result', 'This mashup has no file.', {
      hint:
        job.takedown_reason != null
          ? `It was taken down: ${job.takedown_reason}`
          : job.expired_at === null
            ? 'Wait until it is complete.'
            : 'Its file has expired: replay it from rendering.',
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
    throw new MashupClientError('no_result', 'The file of this mashup is not available.', {
      hint: 'A replay may be running, or the mashup belongs to another user.',
      details: error.message,
      cause: error,
    });
  }
  return data.signedUrl;
}
