import type { MashupJob } from '@mashup-engine/client';
import { ProgressBar } from '../common/ProgressBar.tsx';
import { Countdown } from './Countdown.tsx';

/** The current step, the remaining time and the progress bar of a job that is being processed. */
export function StepProgress({ job, step }: { job: MashupJob; step: string }) {
  return (
    <div>
      {/* On a phone the step has room for two lines, so that nothing moves when its text grows. */}
      <div className="mb-2 items-baseline justify-between gap-4 sm:flex">
        <div className="flex min-h-10 items-end sm:min-h-0 sm:min-w-0">
          <p className="line-clamp-2 text-sm font-medium sm:line-clamp-1 sm:text-base" title={step}>
            {step}
          </p>
        </div>
        <Countdown job={job} />
      </div>
      <ProgressBar label="Progress of the mashup" percent={job.progress} />
    </div>
  );
}
