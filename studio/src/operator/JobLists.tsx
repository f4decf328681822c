import { ago, clock } from '@mashup-engine/react/kit';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { jobsUrl, jobUrl } from './filters.ts';
import type { LiveJob, Overview } from './types.ts';

interface Props {
  overview: Overview;
}

function LiveRow({ job }: { job: LiveJob }) {
  return (
    <li>
      <a
        className="block w-full rounded-xl border border-line p-3 text-left text-sm hover:bg-raised"
        href={jobUrl(job.id)}
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
      </a>
    </li>
  );
}

/** All live jobs. */
export function LiveJobs({ overview }: Props) {
  return (
    <section className="panel" aria-label="Live jobs">
      <h2 className="font-semibold">Live</h2>
      {overview.live.length === 0 && <p className="mt-2 text-sm text-soft">No live jobs.</p>}
      <ul className="mt-3 space-y-2 empty:hidden">
        {overview.live.map((job) => (
          <LiveRow key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}

/** Live jobs that make no progress, and why. */
export function StuckJobs({ overview }: Props) {
  if (overview.stuck.length === 0) return null;
  return (
    <section className="panel border-warn/50" aria-label="Stuck jobs">
      <h2 className="font-semibold text-warn">Stuck</h2>
      <ul className="mt-2 space-y-2 text-sm">
        {overview.stuck.map((job) => (
          <li key={job.id}>
            <a className="hover:underline" href={jobUrl(job.id)}>
              {STAGE_NAMES[job.stage]} for {clock(job.in_stage_sec)}: {job.why}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Failed jobs of the last seven days by reason. A link opens the last one, another lists all. */
export function Failures({ overview }: Props) {
  if (overview.failures.length === 0) return null;
  return (
    <section className="panel" aria-label="Failures">
      <h2 className="font-semibold">Failures in the last seven days</h2>
      <ul className="mt-2 space-y-2 text-sm">
        {overview.failures.map((failure) => (
          <li key={`${failure.error_code} ${failure.failed_in}`}>
            <a className="hover:underline" href={jobUrl(failure.last_job)}>
              <span className="font-medium">{failure.jobs} ×</span> {failure.last_message}{' '}
              <span className="text-soft">
                ({failure.error_code}
                {failure.failed_in && `, in ${failure.failed_in}`})
              </span>
            </a>{' '}
            <a
              className="whitespace-nowrap text-xs text-accent hover:underline"
              href={jobsUrl({ error: failure.error_code, hours: '168' })}
            >
              All {failure.jobs}
              <span className="sr-only"> that failed with {failure.error_code}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The jobs that ended last, in any terminal stage. */
export function EndedJobs({ overview }: Props) {
  return (
    <section className="panel" aria-label="Ended jobs">
      <h2 className="font-semibold">Recently ended</h2>
      {overview.recent.length === 0 && <p className="mt-2 text-sm text-soft">No job has ended yet.</p>}
      <ul className="mt-2 divide-y divide-line text-sm">
        {overview.recent.map((job) => (
          <li key={job.id}>
            <a className="flex w-full items-baseline gap-2 py-2 hover:underline" href={jobUrl(job.id)}>
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
            </a>
          </li>
        ))}
      </ul>
      <a className="mt-2 inline-block text-sm text-accent hover:underline" href={jobsUrl({ stage: 'ended' })}>
        All ended jobs
      </a>
    </section>
  );
}
