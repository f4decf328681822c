import type { MashupJob } from '@mashup-engine/client';

/** What a job is waiting for, if anything. */
export function waitingText(job: MashupJob): string | undefined {
  if (job.waitingOn === 'slot') {
    return job.queuePosition ? `Number ${job.queuePosition} in the queue` : 'Waiting for a free slot';
  }
  if (job.waitingOn === 'circuit') return job.currentStep;
  if (job.waitingOn === 'pause') return 'Paused by the operator';
  return undefined;
}
