import { useState } from 'react';
import type { ReactNode } from 'react';
import type { ReplayStage } from '../../../schema.ts';
import { STAGE_NAMES, WORKING_STAGES } from '../../../schema/stages.ts';
import type { JobHistoryData } from './types.ts';

/** The operator's actions on a job: replay, and pause, cancel or retry. */
export function JobControls({
  job,
  pause,
  onReplay,
  onRetry,
  onCancel,
}: {
  job: JobHistoryData['job'];
  /** The button that pauses or resumes this job. */
  pause: ReactNode;
  onReplay: (stage: ReplayStage, fresh: boolean) => void;
  onRetry: () => void;
  onCancel: () => void;
}) {
  const [isFresh, setIsFresh] = useState(false);
  return (
    <div className="space-y-3">
      <h3 className="label">Replay from</h3>
      <div className="flex flex-wrap gap-2">
        {WORKING_STAGES.map((stage) => (
          <button key={stage} type="button" className="button" onClick={() => onReplay(stage, isFresh)}>
            {STAGE_NAMES[stage]}
          </button>
        ))}
      </div>
      <label className="flex items-center gap-2 text-sm text-soft">
        <input type="checkbox" checked={isFresh} onChange={(event) => setIsFresh(event.target.checked)} />
        Recompute analyses and stems
      </label>
      <div className="flex flex-wrap gap-2 empty:hidden">
        {job.status === 'processing' && (
          <>
            {pause}
            <button type="button" className="button text-bad" onClick={onCancel}>
              Cancel the job
            </button>
          </>
        )}
        {(job.status === 'failed' || job.status === 'cancelled') && (
          <button type="button" className="button" onClick={onRetry}>
            Retry
          </button>
        )}
      </div>
    </div>
  );
}
