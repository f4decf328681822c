import { useState } from 'react';
import { signResultUrl } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { useStudio } from '@mashup-engine/react';
import { ago, clock, displayKey, Icon, isDoubleClick, MusicText, PreviewButton } from '@mashup-engine/react/kit';
import { STAGE_NAMES } from '../../../schema/stages.ts';

const STATUS_CLASSES: Record<MashupJob['status'], string> = {
  processing: 'bg-accent/15 text-accent',
  complete: 'bg-good/15 text-good',
  failed: 'bg-bad/15 text-bad',
  cancelled: 'bg-raised text-soft',
};

/** The title of a mashup, or the names of its songs. */
export const titleOf = (job: MashupJob): string => job.title ?? job.songs.map(({ name }) => name).join(' × ');

/** One mashup: play, open, state and delete. */
export function LibraryRow({
  job,
  name,
  onStart,
  onDelete,
}: {
  job: MashupJob;
  /** How it is named here: by its title, or as a version of another one. */
  name: string;
  /** Starts a draft. */
  onStart: () => void;
  onDelete: () => void;
}) {
  const isDraft = job.hold !== null;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 sm:flex-nowrap" data-testid="library-item">
      <PlayButton job={job} />
      <div className="min-w-0 flex-1 basis-0">
        <a
          href={isDraft ? '#/' : `#/mashup/${job.id}`}
          className="line-clamp-2 font-medium hover:underline sm:line-clamp-1"
          title={name}
        >
          {name}
        </a>
        <p className="line-clamp-2 text-sm text-soft sm:line-clamp-1">
          <MusicText text={factsOf(job)} />
        </p>
      </div>
      <div className="order-last basis-full pl-12 sm:order-none sm:basis-auto sm:pl-0">
        {isDraft ? (
          <button type="button" className="button" onClick={onStart}>
            Create the mashup
          </button>
        ) : (
          <Status job={job} />
        )}
      </div>
      <DeleteButton title={name} onDelete={onDelete} />
    </div>
  );
}

function PlayButton({ job }: { job: MashupJob }) {
  const { supabase } = useStudio();
  if (job.resultPath === null) return <span className="w-9 shrink-0" />;
  return <PreviewButton name={titleOf(job)} sources={[async () => ({ url: await signResultUrl(supabase, job) })]} />;
}

/** Length, tempo, key, wish and age of a mashup, or how far it is. */
function factsOf(job: MashupJob): string {
  const { result, feedback } = job;
  return [
    ...(job.hold !== null ? ['Waits for you'] : job.status === 'processing' ? [job.currentStep] : []),
    ...(job.status === 'failed' ? [job.errorMessage] : []),
    ...(result ? [clock(result.durationSec), `${Math.round(result.bpm)} bpm`, displayKey(result.key)] : []),
    ...(feedback === null ? [] : [`“${feedback}”`]),
    ago(job.createdAt),
  ].join(' · ');
}

function Status({ job }: { job: MashupJob }) {
  const isFaulty = job.status === 'complete' && job.result?.quality?.passed === false;
  return (
    <span
      className={`whitespace-nowrap rounded-full px-2.5 py-1 text-xs font-medium ${isFaulty ? 'bg-warn/15 text-warn' : STATUS_CLASSES[job.status]}`}
      title={isFaulty ? job.warnings[0]?.message : undefined}
    >
      {job.status === 'processing'
        ? `${STAGE_NAMES[job.stage]} ${Math.round(job.progress)} %`
        : isFaulty
          ? 'Complete with warnings'
          : STAGE_NAMES[job.stage]}
    </span>
  );
}

function DeleteButton({ title, onDelete }: { title: string; onDelete: () => void }) {
  const [isConfirming, setIsConfirming] = useState(false);
  return (
    <button
      type="button"
      className={`button-quiet ${isConfirming ? 'text-bad' : ''}`}
      onClick={(click) => {
        if (!isConfirming) setIsConfirming(true);
        else if (!isDoubleClick(click)) onDelete();
      }}
      onBlur={() => setIsConfirming(false)}
    >
      <Icon name="trash" />
      {isConfirming ? 'Delete it' : <span className="sr-only">Delete {title}</span>}
    </button>
  );
}
