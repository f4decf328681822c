import type { MashupJob } from '@mashup-engine/client';
import { STAGE_NAMES } from '../../../../schema/stages.ts';
import { clock } from '../../texts.ts';

/** The versions of a mashup side by side. Opening another one continues at the same position. */
export function Versions({
  versions,
  shownId,
  playedId,
  onOpen,
}: {
  /** Oldest first. */
  versions: MashupJob[];
  /** The version that the page shows. */
  shownId: string;
  /** The version that the player plays. */
  playedId: string;
  onOpen: (jobId: string) => void;
}) {
  return (
    <div>
      <h2 className="label">Versions</h2>
      <ol className="mt-2 grid gap-2 sm:grid-cols-2 lg:grid-cols-3" data-testid="versions">
        {versions.map((job, index) => (
          <li key={job.id}>
            <button
              type="button"
              aria-pressed={job.id === playedId}
              aria-current={job.id === shownId ? 'true' : undefined}
              onClick={() => onOpen(job.id)}
              className={`h-full w-full rounded-xl border p-3 text-left text-sm transition-colors ${
                job.id === playedId ? 'border-accent bg-accent/10' : 'border-line hover:bg-raised'
              }`}
            >
              <span className="flex justify-between gap-2">
                <span className="font-semibold">Version {index + 1}</span>
                <span className="text-xs text-soft">
                  {job.status === 'complete' && job.result
                    ? `${Math.round(job.result.bpm)} bpm · ${clock(job.result.durationSec)}`
                    : job.status === 'processing'
                      ? `${Math.round(job.progress)} %`
                      : STAGE_NAMES[job.stage]}
                </span>
              </span>
              <span className="mt-1 line-clamp-2 text-soft">
                {job.feedback ?? (job.parentId === null ? 'First version' : 'Changed by hand')}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
