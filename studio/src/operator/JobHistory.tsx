import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { toMashupJob } from '@mashup-engine/client';
import { StageTrack } from '@mashup-engine/react';
import { Warnings } from '@mashup-engine/react/kit';
import type { ReplayStage } from '../../../schema.ts';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { EventList } from './EventList.tsx';
import { jobsUrl } from './filters.ts';
import { JobControls } from './JobControls.tsx';
import { Payload } from './Payload.tsx';
import { TaskDetail } from './TaskDetail.tsx';
import { TaskTable } from './TaskTable.tsx';
import { dateTime, timeZone } from './times.ts';
import type { JobHistoryData } from './types.ts';
import { Waterfall } from './Waterfall.tsx';

/** One job: its state, the operator's actions, its tasks on a time axis and its events. */
export function JobHistory({
  supabase,
  history,
  taskId,
  share,
  ...controls
}: {
  supabase: SupabaseClient;
  history: JobHistoryData;
  /** The task that is shown with its log lines. */
  taskId: number | undefined;
  /** The public link of the job, if it has had one. */
  share: ReactNode;
  /** The button that pauses or resumes this job. */
  pause: ReactNode;
  onReplay: (stage: ReplayStage, fresh: boolean) => void;
  onRetry: () => void;
  onCancel: () => void;
}) {
  const { job, tasks, events, email } = history;
  const task = tasks.find(({ id }) => id === taskId);
  const song = job.songs.find(({ song_id }) => song_id === task?.song_id)?.name ?? '';
  return (
    <section className="panel space-y-5" aria-label="Job" data-testid="job-history">
      <JobHeader job={job} email={email} />
      <Warnings job={toMashupJob(job)} />
      <StageTrack job={toMashupJob(job)} />
      <JobControls job={job} {...controls} />
      {share}
      <Waterfall history={history} taskId={taskId} />
      {task && <TaskDetail supabase={supabase} task={task} song={song} />}
      <TaskTable tasks={tasks} songs={job.songs} />
      <EventList events={events} />
      <Payload name="The whole row" value={job} />
    </section>
  );
}

function JobHeader({ job, email }: Pick<JobHistoryData, 'job' | 'email'>) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The job was chosen from a list, so the focus moves here.
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
        {' · '}
        <a className="text-accent hover:underline" href={jobsUrl({ user: job.user_id })}>
          {email || job.user_id}
        </a>
      </p>
      <p className="mt-1 text-xs text-soft">
        Created {dateTime(job.created_at)}
        {job.finished_at !== null && `, ended ${dateTime(job.finished_at)}`} ({timeZone()})
      </p>
      <p className="mt-1 text-sm">
        {STAGE_NAMES[job.stage]} · {Math.round(job.progress)} % · {job.error_message ?? job.current_step}
      </p>
      {job.error_hint && <p className="mt-0.5 text-sm text-soft">{job.error_hint}</p>}
    </header>
  );
}
