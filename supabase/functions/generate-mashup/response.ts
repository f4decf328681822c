/** The response of generate-mashup. */
import type { GenerateMashupAnswer, Submission } from '../../../schema/api.ts';
import { areWishesReadByRules } from '../_shared/environment.ts';
import { remainingText } from '../_shared/durations.ts';

/** Describes a submitted job in the form of the contract. */
export function describeSubmission(submission: Submission, isDraft: boolean): GenerateMashupAnswer {
  const { estimated_completion_at: end } = submission;
  const seconds = end === null ? undefined : (Date.parse(end) - Date.now()) / 1000;
  return {
    success: true,
    jobId: submission.job_id,
    message: messageOf(submission, isDraft),
    // The contract has three states; a cancelled job is reported as failed.
    status: submission.status === 'cancelled' ? 'failed' : submission.status,
    progress: submission.progress,
    estimated_duration: seconds === undefined ? 'unknown' : `about ${remainingText(seconds)}`,
    songs_count: submission.songs_count,
    stage: submission.stage,
    queue_position: submission.queue_position,
    estimated_completion_at: end,
    existing: submission.existing,
    wishes_read_by: areWishesReadByRules() ? 'rules' : 'planner',
  };
}

function messageOf({ existing, queue_position: position }: Submission, isDraft: boolean): string {
  if (existing) return 'This request was submitted before. This is its mashup.';
  if (isDraft) return 'Your songs are being analysed. Start the mashup when you are ready.';
  if (position !== null && position > 1) return `Your mashup is waiting for a free slot (position ${position}).`;
  return 'Your mashup is being made.';
}
