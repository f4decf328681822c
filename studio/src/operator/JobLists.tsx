import { ago, clock } from '@mashup-engine/react/kit';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import type { LiveJob, Overview } from './types.ts';

interface Props {
  overview: Overview;
  onOpen: (jobId: string) => void;
}

function LiveRow({ job, onOpen }: { job: LiveJob; onOpen: () => void }) {
  return (
    <li>
      <button
        type="button"
        className="w-full rounded-xl border border-line p-3 text-left text-sm hover:bg-raised"
        onClick={onOpen}
      >
        <span className="flex justify-between gap-3">
          <span className="truncate font-medium">{job.current_step}</span>
          <span className="whitespace-nowrap text-soft">
            {STAGE_NAMES[job.stage]} · {clock(job.in_stage_sec)}
          </span>
        </span>
        <span className="mt-2 block h-1.5 overflow-hidden rounded-full bg-raised">
          <span className="block h-full rounded-full bg-accent" style={{ width: `${job.progress}%` }} />
        </span>
        <span className="mt-1.5 block text-xs text-soft">
          {job.id.slice(0, 8)} · {job.running} running, {job.ready} ready, {job.waiting} waiting
          {job.waiting_on && ` · waiting for ${job.waiting_on}`}
        </span>
      </button>
    </li>
  );
}

/** All live jobs. */
export function LiveJobs({ overview, onOpen }: Props) {
  return (
    <section className="panel" aria-label="Live jobs">
      <h2 className="font-semibold">Live</h2>
      {overview.live.length === 0 && <p className="mt-2 text-sm text-soft">No live jobs.</p>}
      <ul className="mt-3 space-y-2 empty:hidden">
        {overview.live.map((job) => (
          <LiveRow key={job.id} job={job} onOpen={() => onOpen(job.id)} />
        ))}
      </ul>
    </section>
  );
}

/** Live jobs that make no progress, and why. */
export function StuckJobs({ overview, onOpen }: Props) {
  if (overview.stuck.length === 0) return null;
  return (
    <section className="panel border-warn/50" aria-label="Stuck jobs">
      <h2 className="font-semibold text-warn">Stuck</h2>
      <ul className="mt-2 space-y-2 text-sm">
        {overview.stuck.map((job) => (
          <li key={job.id}>
            <button type="button" className="text-left hover:underline" onClick={() => onOpen(job.id)}>
              {STAGE_NAMES[job.stage]} for {clock(job.in_stage_sec)}: {job.why}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Failed jobs of the last seven days by reason. A click opens the last one. */
export function Failures({ overview, onOpen }: Props) {
  if (overview.failures.length === 0) return null;
  return (
    <section className="panel" aria-label="Failures">
      <h2 className="font-semibold">Failures in the last seven days</h2>
      <ul className="mt-2 space-y-2 text-sm">
        {overview.failures.map((failure) => (
          <li key={`${failure.error_code} ${failure.failed_in}`}>
            <button type="button" className="text-left hover:underline" onClick={() => onOpen(failure.last_job)}>
              <span className="font-medium">{failure.jobs} ×</span> {failure.last_message}{' '}
              <span className="text-soft">
                ({failure.error_code}
                {failure.failed_in && `, in ${failure.failed_in}`})
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The jobs that ended last, in any terminal stage. */
export function EndedJobs({ overview, onOpen }: Props) {
  return (
    <section className="panel" aria-label="Ended jobs">
      <h2 className="font-semibold">Recently ended</h2>
      {overview.recent.length === 0 && <p className="mt-2 text-sm text-soft">No job has ended yet.</p>}
      <ul className="mt-2 divide-y divide-line text-sm">
        {overview.recent.map((job) => (
          <li key={job.id}>
            <button
              type="button"
              className="flex w-full items-baseline gap-2 py-2 text-left hover:underline"
              onClick={() => onOpen(job.id)}
            >
              <span
                aria-hidden="true"
                className={`h-2 w-2 shrink-0 rounded-full ${job.stage === 'complete' ? 'bg-good' : job.stage === 'failed' ? 'bg-bad' : 'bg-soft'}`}
              />
              <span className="min-w-0 flex-1 truncate">{job.title ?? job.songs.join(' × ')}</span>
              <span className="whitespace-nowrap text-xs text-soft">
                {job.stage === 'complete'
                  ? job.took_sec !== null && `${job.took_sec.toFixed(0)} s · `
                  : `${STAGE_NAMES[job.stage]} · `}
                {ago(job.finished_at)}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
