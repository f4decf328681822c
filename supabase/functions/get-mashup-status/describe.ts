/** The response of get-mashup-status. */
import type { MashupDocument, StatusAnswer } from '../../../schema/api.ts';
import { toMashupSections } from '../../../music/plan/timeline.ts';
import { elapsedText, remainingText } from '../_shared/durations.ts';
import { jobErrorDetails } from './error-details.ts';

const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** Describes a job in the form of the status contract. Durations are measured by the database's clock. */
export function describeStatus(job: MashupDocument): StatusAnswer {
  const isRunning = job.status === 'processing';
  const analyzed = job.songs.filter((song) => song.analysis_id != null).length;
  return {
    jobId: job.id,
    status: job.status === 'cancelled' ? 'failed' : job.status,
    progress: job.progress,
    currentStep: job.current_step,
    created_at: job.created_at,
    updated_at: job.updated_at,
    processing_time_elapsed: elapsedText(secondsBetween(job.created_at, job.finished_at ?? job.server_now)),
    ...(isRunning && job.progress > 0 && job.progress < 100 && job.estimated_completion_at !== null
      ? { estimated_completion: remainingText(secondsBetween(job.server_now, job.estimated_completion_at)) }
      : {}),
    ...(job.status === 'failed' || job.status === 'cancelled'
      ? {
          error_message: job.error_message ?? 'The mashup was cancelled.',
          error_code: job.error_code ?? 'cancelled',
          error_details: jobErrorDetails(job),
        }
      : {}),
    ...(job.status === 'complete' && job.result_path !== null ? { result_url: job.result_path } : {}),
    ...(job.plan === null
      ? {}
      : {
          title: job.plan.masterplan.title,
          concept: job.plan.creative_vision,
          timeline: toMashupSections(job.plan.masterplan.timeline),
          masterplan: job.plan,
        }),
    metadata: {
      songs_count: job.songs.length,
      analyses_completed: analyzed,
      // All pairs of the analysed songs are scored.
      mashability_scores_count: job.score === null ? 0 : (analyzed * (analyzed - 1)) / 2,
      has_masterplan: job.plan !== null,
    },
  };
}
