import { useState } from 'react';
import { deleteMashup } from '@mashup-engine/client';
import { Notice, toProblem, useLibrary, useStudio } from '@mashup-engine/react';
import type { Problem } from '@mashup-engine/react';
import { Icon, ago, clock, displayKey, toneOf } from '@mashup-engine/react/kit';
import { JOB_STATUSES } from '../../../schema/database.ts';
import type { MashupJob } from '@mashup-engine/client';
import { STAGE_NAMES } from '../../../schema/stages.ts';

const FILTERS = ['all', ...JOB_STATUSES] as const;
const FILTER_NAMES = {
  all: 'All',
  processing: 'In progress',
  complete: 'Complete',
  failed: 'Failed',
  cancelled: 'Cancelled',
};
const STATUS_CLASSES: Record<MashupJob['status'], string> = {
  processing: 'bg-accent/15 text-accent',
  complete: 'bg-good/15 text-good',
  failed: 'bg-bad/15 text-bad',
  cancelled: 'bg-raised text-soft',
};

function LibraryItem({ job, onDelete }: { job: MashupJob; onDelete: () => void }) {
  const [isConfirming, setIsConfirming] = useState(false);
  const isFaulty = job.status === 'complete' && job.result?.quality?.passed === false;
  const title = job.title ?? job.songs.map((song) => song.name).join(' × ');
  return (
    <li className="panel flex flex-wrap items-center gap-x-4 gap-y-2 sm:flex-nowrap" data-testid="library-item">
      <div className="flex -space-x-2" aria-hidden="true">
        {job.songs.map((song, place) => (
          <span
            key={song.songId}
            className={`h-8 w-8 rounded-full border-2 border-panel ${toneOf(place).background}`}
          />
        ))}
      </div>
      <div className="min-w-0 flex-1 basis-52">
        <a href={`#/mashup/${job.id}`} className="block truncate font-medium hover:underline">
          {title}
        </a>
        <p className="line-clamp-2 text-sm text-soft sm:line-clamp-1">
          {job.status === 'processing' && `${job.currentStep} · `}
          {job.status === 'failed' && `${job.errorMessage} · `}
          {job.result &&
            `${clock(job.result.durationSec)} · ${Math.round(job.result.bpm)} bpm · ${displayKey(job.result.key)} · `}
          {job.feedback && `“${job.feedback}” · `}
          {ago(job.createdAt)}
        </p>
      </div>
      <span
        className={`ml-auto whitespace-nowrap rounded-full px-2.5 py-1 text-xs font-medium ${isFaulty ? 'bg-warn/15 text-warn' : STATUS_CLASSES[job.status]}`}
        title={isFaulty ? job.warnings[0]?.message : undefined}
      >
        {job.status === 'processing'
          ? `${STAGE_NAMES[job.stage]} ${Math.round(job.progress)} %`
          : isFaulty
            ? 'Complete with warnings'
            : STAGE_NAMES[job.stage]}
      </span>
      <button
        type="button"
        className={`button-quiet ${isConfirming ? 'text-bad' : ''}`}
        onClick={() => (isConfirming ? onDelete() : setIsConfirming(true))}
        onBlur={() => setIsConfirming(false)}
      >
        <Icon name="trash" />
        {isConfirming ? 'Delete it' : <span className="sr-only">Delete {title}</span>}
      </button>
    </li>
  );
}

/** The list of the user's mashups: filter, open, delete. */
export function LibraryPage() {
  const { supabase } = useStudio();
  const { mashups, problem, refresh } = useLibrary();
  const [filter, setFilter] = useState<(typeof FILTERS)[number]>('all');
  const [refusal, setRefusal] = useState<Problem>();
  const shown = mashups?.filter((job) => filter === 'all' || job.status === filter);

  const remove = async (id: string): Promise<void> => {
    setRefusal(undefined);
    await deleteMashup(supabase, id).catch((error: unknown) => setRefusal(toProblem(error)));
    await refresh();
  };

  return (
    <div className="space-y-5">
      <h1 className="text-2xl font-semibold sm:text-3xl">My mashups</h1>
      {(problem ?? refusal) && <Notice problem={(problem ?? refusal) as Problem} />}
      {mashups !== undefined && mashups.length > 0 && (
        <div role="group" aria-label="Filter by state" className="flex flex-wrap gap-2">
          {FILTERS.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={filter === name}
              className={`min-h-9 rounded-full px-3 text-sm ${filter === name ? 'bg-ink text-ground' : 'bg-raised text-soft hover:text-ink'}`}
              onClick={() => setFilter(name)}
            >
              {FILTER_NAMES[name]}
            </button>
          ))}
        </div>
      )}
      {mashups === undefined && <p className="panel min-h-40 text-soft">Loading…</p>}
      {mashups?.length === 0 && (
        <div className="panel py-14 text-center" data-testid="library-empty">
          <p className="text-lg font-semibold">No mashups yet</p>
          <p className="mt-2 text-soft">
            Your first mashup takes about a minute. If you have no songs at hand, use the example songs.
          </p>
          <a href="#/" className="button-primary mt-5">
            Make the first mashup
          </a>
        </div>
      )}
      <ul className="space-y-3">
        {shown?.map((job) => (
          <LibraryItem key={job.id} job={job} onDelete={() => void remove(job.id)} />
        ))}
      </ul>
      {mashups !== undefined && mashups.length > 0 && shown?.length === 0 && (
        <p className="text-soft">No mashup has the state “{FILTER_NAMES[filter]}”.</p>
      )}
    </div>
  );
}
