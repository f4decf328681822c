/** Follows a job to its end, and tells how it ended. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { cancelMashup, followJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { CliError, exitCodeFor } from './errors.ts';

/** Limit of the cancellation when the command is interrupted. */
const CANCEL_TIMEOUT_MS = 3_000;
/** A loss of the connection that is over sooner is not shown. */
const LOSS_SHOWN_MS = 5_000;

/** What is shown while a job is followed. */
interface Followed {
  onChange: (job: MashupJob) => void;
  /** Called when the connection is lost for some seconds, and when it is back. */
  onConnection: (isLost: boolean) => void;
  /** After how many milliseconds a loss is shown. Default: 5,000. */
  lossShownMs?: number;
}

/**
 * Follows a job until it is complete. Returns its last state.
 * @throws CliError with the error of a job that fails, or `cancelled`; the reason of `signal`
 */
export async function followToEnd(
  supabase: SupabaseClient,
  jobId: string,
  { onChange, onConnection, lossShownMs = LOSS_SHOWN_MS }: Followed,
  signal: AbortSignal,
): Promise<MashupJob> {
  let timer: NodeJS.Timeout | undefined;
  let isShown = false;
  const onLive = (isLive: boolean): void => {
    if (!isLive) {
      timer ??= setTimeout(() => {
        isShown = true;
        onConnection(true);
      }, lossShownMs);
      return;
    }
    clearTimeout(timer);
    timer = undefined;
    if (isShown) onConnection(false);
    isShown = false;
  };
  try {
    const job = await followJob(supabase, jobId, { signal, onChange, onLive }).finished;
    signal.throwIfAborted();
    return assertComplete(job, jobId);
  } finally {
    clearTimeout(timer);
  }
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
