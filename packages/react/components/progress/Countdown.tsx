import { useEffect, useState } from 'react';
import type { MashupJob } from '@mashup-engine/client';
import { serverNow } from '../../hooks/useJobDocument.ts';
import { clock } from '../../texts.ts';

/**
 * Remaining time, by the engine's estimate. It counts down each second. While the rest of the mashup needs a service that is not
 * available, it says which one instead. Nothing is shown while the mashup waits for it or for a pause: the step says so.
 */
export function Countdown({ job }: { job: MashupJob }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  if (job.status !== 'processing' || job.waitingOn === 'circuit' || job.waitingOn === 'pause') return null;
  if (job.estimateNote) {
    return (
      <p className="text-sm text-soft" data-testid="estimate-note">
        {job.estimateNote}
      </p>
    );
  }
  if (job.estimatedCompletionAt === null) return null;
  const left = (Date.parse(job.estimatedCompletionAt) - serverNow()) / 1000;
  return (
    <span role="timer" className="whitespace-nowrap text-sm text-soft" data-testid="countdown">
      {left > 1 ? `about ${clock(left)} left` : 'taking a little longer than usual'}
    </span>
  );
}
