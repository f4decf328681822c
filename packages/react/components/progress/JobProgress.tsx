import { useMashupGenerator } from '../../hooks/useMashupGenerator.ts';
import type { MashupGenerator } from '../../hooks/useMashupGenerator.ts';
import type { MashupJob } from '@mashup-engine/client';
import { Notice } from '../common/Notice.tsx';
import { toneOf } from '../common/tones.ts';
import { ClaudeMonitor } from './ClaudeMonitor.tsx';
import { JobActions } from './JobActions.tsx';
import { SongProgress } from './SongProgress.tsx';
import { StageTrack } from './StageTrack.tsx';
import { StepProgress } from './StepProgress.tsx';
import { waitingText } from './waiting-text.ts';

/** The progress of a job: stages, current step, songs, remaining time, and the actions on it. */
export function JobProgress({
  job,
  onStartOver,
  onOpen,
}: {
  job: MashupJob;
  onStartOver?: () => void;
  onOpen: (jobId: string) => void;
}) {
  const generator = useMashupGenerator();
  const isProcessing = job.status === 'processing';
  const step = waitingText(job) ?? job.currentStep;
  return (
    <section className="panel space-y-5" aria-label="Progress" data-testid="progress">
      <StageTrack job={job} />
      {isProcessing && <StepProgress job={job} step={step} />}
      <p className="sr-only" aria-live="polite">
        {step}
      </p>
      <StopNotice job={job} />
      <ul className={`grid gap-3 sm:grid-cols-2 ${job.songs.length > 2 ? 'lg:grid-cols-3' : ''}`} aria-label="Songs">
        {job.songs.map((song, place) => (
          <SongProgress key={song.songId} song={song} tone={toneOf(place)} isProcessing={isProcessing} />
        ))}
      </ul>
      {isProcessing && <PlanPreview generator={generator} />}
      <JobActions job={job} generator={generator} onStartOver={onStartOver} onOpen={onOpen} />
    </section>
  );
}

/** Why a job has stopped, and what to do. */
function StopNotice({ job }: { job: MashupJob }) {
  if (job.status === 'failed') {
    const message = job.errorMessage ?? 'The mashup could not be made.';
    return <Notice problem={{ message, hint: job.errorHint ?? 'Try again.' }} />;
  }
  if (job.status === 'cancelled') {
    const hint = 'Finished work is kept. Retry continues where it stopped.';
    return <Notice kind="warn" problem={{ message: 'This mashup was cancelled.', hint }} />;
  }
  return null;
}

/** The idea of the plan, or a placeholder. The page shows the sections of the plan below. */
function PlanPreview({
  generator: { claudePlan, claudeThoughts },
}: {
  generator: Pick<MashupGenerator, 'claudePlan' | 'claudeThoughts'>;
}) {
  if (claudePlan.length > 0) return <ClaudeMonitor plan={[]} thoughts={claudeThoughts} />;
  return (
    <p className="rounded-xl border border-dashed border-line p-4 text-sm text-soft">
      The plan appears here when it is ready: which song plays when, with which stems, and why.
    </p>
  );
}
