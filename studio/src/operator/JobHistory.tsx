import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { REPLAY_STAGES } from '../../../schema/database.ts';
import type { ReplayStage } from '../../../schema.ts';
import { StageTrack } from '../components/progress/StageTrack.tsx';
import { STAGE_WORDS } from '../texts.ts';
import type { Story } from './types.ts';

const seconds = (value: number | null): string => (value === null ? '–' : `${value.toFixed(1)} s`);

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** `worker:f3c718b6-…` as `worker f3c718b6` */
const shortActor = (actor: string): string => actor.replace(/:([0-9a-f]{8})-[0-9a-f-]{27}$/, ' $1');

/** A document as it is stored, folded. */
function Payload({ name, value }: { name: string; value: object }) {
  return (
    <details>
      <summary className="cursor-pointer text-xs text-soft">{name}</summary>
      <pre className="mt-1 overflow-x-auto rounded-lg bg-raised p-2 text-xs" tabIndex={0}>
        {JSON.stringify(value, null, 2)}
      </pre>
    </details>
  );
}

/** One job's history, and the ways to move it. */
export function JobStory({
  story,
  pause,
  onReplay,
  onRetry,
  onCancel,
}: {
  story: Story;
  /** Pauses or resumes this job alone. */
  pause: ReactNode;
  onReplay: (stage: ReplayStage, fresh: boolean) => void;
  onRetry: () => void;
  onCancel: () => void;
}) {
  const [isFresh, setIsFresh] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  // Chosen from a list elsewhere on the page: go there.
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const { job, tasks, events } = story;
  const nameOf = (songId: string | null): string => job.songs.find((song) => song.song_id === songId)?.name ?? '';
  return (
    <section className="panel space-y-5" aria-label="Job" data-testid="story">
      <header>
        <h2 ref={heading} tabIndex={-1} className="scroll-mt-6 break-words text-lg font-semibold outline-none">
          {job.title ?? job.songs.map((song) => song.name).join(' × ')}
        </h2>
        <p className="mt-1 break-all text-xs text-soft">
          {job.id} · epoch {job.epoch} · version {job.version}
        </p>
        <p className="mt-1 text-sm">
          {STAGE_WORDS[job.stage]} · {Math.round(job.progress)} % · {job.error_message ?? job.current_step}
        </p>
        {job.error_hint && <p className="mt-0.5 text-sm text-soft">{job.error_hint}</p>}
      </header>
      <StageTrack job={job} />
      <div className="space-y-3">
        <h3 className="label">Replay from</h3>
        <div className="flex flex-wrap gap-2">
          {REPLAY_STAGES.filter((stage) => stage !== 'queued').map((stage) => (
            <button key={stage} type="button" className="button" onClick={() => onReplay(stage, isFresh)}>
              {STAGE_WORDS[stage]}
            </button>
          ))}
        </div>
        <label className="flex items-center gap-2 text-sm text-soft">
          <input type="checkbox" checked={isFresh} onChange={(event) => setIsFresh(event.target.checked)} />
          Work analyses and stems out anew
        </label>
        <div className="flex flex-wrap gap-2 empty:hidden">
          {job.status === 'processing' ? (
            <>
              {pause}
              <button type="button" className="button text-bad" onClick={onCancel}>
                Cancel the job
              </button>
            </>
          ) : (
            job.status !== 'complete' && (
              <button type="button" className="button" onClick={onRetry}>
                Retry
              </button>
            )
          )}
        </div>
      </div>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Tasks">
        <table className="w-full min-w-[30rem] text-left text-sm">
          <caption className="label mb-2 text-left">Tasks</caption>
          <thead className="text-xs text-soft">
            <tr>
              <th className="pb-1 pr-3 font-medium">Kind</th>
              <th className="pb-1 pr-3 font-medium">Song</th>
              <th className="pb-1 pr-3 font-medium">Epoch</th>
              <th className="pb-1 pr-3 font-medium">State</th>
              <th className="pb-1 text-right font-medium">Took</th>
            </tr>
          </thead>
          <tbody>
            {tasks.map((task) => (
              <tr key={task.id} className="border-t border-line">
                <td className="py-1.5 pr-3">{task.kind}</td>
                <td className="pr-3">{nameOf(task.song_id)}</td>
                <td className="pr-3">{task.epoch}</td>
                <td className="pr-3">
                  {task.state}
                  {task.failures > 0 && ` · tried ${times(task.failures)}`}
                  {task.crashes > 0 && ` · worker lost ${times(task.crashes)}`}
                  {task.error && (
                    <span className="block text-xs text-bad">
                      {task.error.code}
                      {task.error.message && `: ${task.error.message}`}
                    </span>
                  )}
                </td>
                <td className="whitespace-nowrap text-right">{seconds(task.took_sec)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div>
        <h3 className="label">History</h3>
        <ol className="mt-2 space-y-1.5 text-sm">
          {events.map((event) => (
            <li
              key={event.at + event.what + event.message}
              className="grid grid-cols-[4rem_1fr] gap-2"
              data-testid="event"
            >
              <span className="text-right text-soft">+{event.since_start_sec.toFixed(1)}</span>
              <div className="min-w-0">
                <span className="chip">{event.what}</span> {event.message}
                {event.song && !event.message.includes(event.song) && (
                  <span className="text-soft"> · {event.song}</span>
                )}
                {event.actor && (
                  <span className="text-xs text-soft" title={event.actor}>
                    {' '}
                    · {shortActor(event.actor)}
                  </span>
                )}
                {event.detail && Object.keys(event.detail).length > 0 && <Payload name="Detail" value={event.detail} />}
              </div>
            </li>
          ))}
        </ol>
      </div>
      <Payload name="The whole row" value={job} />
    </section>
  );
}
