/** Shows progress as one JSON line per change, for programs. */
import { printJson } from '../output.ts';
import type { Display } from './display.ts';

/** Creates the display for programs. `type` is `step`, `job` or `connection`; the last line of `make` has type `result` or `error`. */
export function jsonDisplay(): Display {
  return {
    step: (text) => printJson({ type: 'step', step: text }),
    job: (job) =>
      printJson({
        type: 'job',
        job_id: job.id,
        version: job.version,
        epoch: job.epoch,
        stage: job.stage,
        status: job.status,
        progress: job.progress,
        current_step: job.currentStep,
        waiting_on: job.waitingOn,
        queue_position: job.queuePosition,
        estimated_completion_at: job.estimatedCompletionAt,
        estimate_note: job.estimateNote,
        songs: job.songs.map(({ songId, name, state, bpm, key, durationSec, warnings }) => ({
          song_id: songId,
          name,
          state,
          bpm,
          key,
          duration_sec: durationSec,
          warnings,
        })),
        score: job.score,
        title: job.title,
        warnings: job.warnings,
      }),
    connection: (isLost) => printJson({ type: 'connection', is_lost: isLost }),
    end: () => {},
  };
}
