import { ago } from '@mashup-engine/react/kit';
import { STAGE_NAMES } from '../../../schema/stages.ts';
import { jobUrl } from './filters.ts';
import { dateTime } from './times.ts';
import type { ListedJob } from './types.ts';

const DOTS = { complete: 'bg-good', failed: 'bg-bad', cancelled: 'bg-soft', processing: 'bg-accent' } as const;

/** What a job is doing, or why it ended. */
function stateText(job: ListedJob): string {
  if (job.status === 'processing') return `${Math.round(job.progress)} % · ${job.current_step}`;
  if (job.status === 'failed') return `${job.error_code ?? ''}: ${job.error_message ?? ''}`;
  if (job.status === 'cancelled') return job.stopped_stage ? `stopped in ${STAGE_NAMES[job.stopped_stage]}` : '';
  return job.took_sec === null ? '' : `took ${job.took_sec.toFixed(0)} s`;
}

/** A job of a list, as a link to its page. */
export function JobRow({ job }: { job: ListedJob }) {
  return (
    <a className="block py-2.5 text-sm hover:bg-raised" href={jobUrl(job.id)}>
      <span className="flex items-baseline gap-2">
        <span aria-hidden="true" className={`h-2 w-2 shrink-0 rounded-full ${DOTS[job.status]}`} />
        <span className="chip shrink-0">{STAGE_NAMES[job.stage]}</span>
        <span className="min-w-0 flex-1 truncate font-medium">{job.title ?? job.songs.join(' × ')}</span>
        <time className="whitespace-nowrap text-xs text-soft" dateTime={job.at} title={dateTime(job.at)}>
          {ago(job.at)}
        </time>
      </span>
      <span className="mt-0.5 block break-words pl-4 text-xs text-soft">{stateText(job)}</span>
      <span className="block truncate pl-4 text-xs text-soft">
        {job.id.slice(0, 8)} · {job.email || job.user_id.slice(0, 8)}
      </span>
    </a>
  );
}
