import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { toMashupJob } from '@mashup-engine/client';
import { StageTrack } from '@mashup-engine/react';
import { Warnings } from '@mashup-engine/react/kit';
import type { ReplayStage } from '../../../schema.ts';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { EventList } from './EventList.tsx';
import { JobControls } from './JobControls.tsx';
import { Payload } from './Payload.tsx';
import { TaskTable } from './TaskTable.tsx';
import type { JobHistoryData } from './types.ts';

/** One job: its state, the operator's actions, its tasks and its events. */
export function JobHistory({
  history: { job, tasks, events },
  ...controls
}: {
  history: JobHistoryData;
  /** The button that pauses or resumes this job. */
  pause: ReactNode;
  onReplay: (stage: ReplayStage, fresh: boolean) => void;
  onRetry: () => void;
  onCancel: () => void;
}) {
  return (
    <section className="panel space-y-5" aria-label="Job" data-testid="job-history">
      <JobHeader job={job} />
      <Warnings job={toMashupJob(job)} />
      <StageTrack job={toMashupJob(job)} />
      <JobControls job={job} {...controls} />
      <TaskTable tasks={tasks} songs={job.songs} />
      <EventList events={events} />
      <Payload name="The whole row" value={job} />
    </section>
  );
}

function JobHeader({ job }: Pick<JobHistoryData, 'job'>) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The job was chosen from a list elsewhere on the page, so the focus moves here.
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <header>
      <h2 ref={heading} tabIndex={-1} className="scroll-mt-6 break-words text-lg font-semibold outline-none">
        {job.title ?? job.songs.map((song) => song.name).join(' × ')}
      </h2>
      <p className="mt-1 break-all text-xs text-soft">
        {job.id} · epoch {job.epoch} · version {job.version}
      </p>
      <p className="mt-1 text-sm">
        {STAGE_NAMES[job.stage]} · {Math.round(job.progress)} % · {job.error_message ?? job.current_step}
      </p>
      {job.error_hint && <p className="mt-0.5 text-sm text-soft">{job.error_hint}</p>}
    </header>
  );
}
