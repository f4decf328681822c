/** Follows a job to its end, and tells how it ended. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { cancelMashup, followJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { CliError, exitCodeFor } from './errors.ts';

/** Limit of the cancellation when the command is interrupted. */
const CANCEL_TIMEOUT_MS = 3_000;

/**
 * Follows a job until it is complete. Returns its last state.
 * @throws CliError with the error of a job that fails, or `cancelled`; the reason of `signal`
 */
export async function followToEnd(
  supabase: SupabaseClient,
  jobId: string,
  onChange: (job: MashupJob) => void,
  signal: AbortSignal,
): Promise<MashupJob> {
  const job = await followJob(supabase, jobId, { signal, onChange }).finished;
  signal.throwIfAborted();
  return assertComplete(job, jobId);
}

/** Returns a job that is complete. @throws CliError with the error of a job that failed, or `cancelled` */
export function assertComplete(job: MashupJob | undefined, jobId: string): MashupJob {
  if (job?.status === 'complete') return job;
  if (job?.status === 'failed') {
    const code = job.errorCode ?? 'failed';
    throw new CliError(
      code,
      job.errorMessage ?? 'The mashup failed.',
      job.errorHint ?? `Run \`mashup show ${jobId}\` for details.`,
      exitCodeFor(code),
    );
  }
  throw new CliError('cancelled', 'The mashup was cancelled.', `To go on: \`mashup retry ${jobId.slice(0, 8)}\`.`);
}

/** Cancels a job when its command is interrupted. One that cannot be cancelled now ends without the command. */
export async function cancelQuietly(supabase: SupabaseClient, jobId: string): Promise<void> {
  const timeout = new Promise((resolve) => setTimeout(resolve, CANCEL_TIMEOUT_MS).unref());
  await Promise.race([cancelMashup(supabase, jobId).catch(() => {}), timeout]);
}
