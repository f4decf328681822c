import type { MashupJob } from '../../../../schema.ts';
import { clock, STAGE_WORDS } from '../../texts.ts';

/** The versions of a mashup side by side; another one goes on playing at the same position. */
export function Versions({
  family,
  shown,
  heard,
  onOpen,
}: {
  family: MashupJob[];
  shown: string;
  heard: string;
  onOpen: (jobId: string) => void;
}) {
  return (
    <div>
      <h2 className="label">Versions</h2>
      <ol className="mt-2 grid gap-2 sm:grid-cols-2 lg:grid-cols-3" data-testid="versions">
        {family.map((job, index) => (
          <li key={job.id}>
            <button
              type="button"
              aria-pressed={job.id === heard}
              aria-current={job.id === shown ? 'true' : undefined}
              onClick={() => onOpen(job.id)}
              className={`h-full w-full rounded-xl border p-3 text-left text-sm transition-colors ${
                job.id === heard ? 'border-accent bg-accent/10' : 'border-line hover:bg-raised'
              }`}
            >
              <span className="flex justify-between gap-2">
                <span className="font-semibold">Version {index + 1}</span>
                <span className="text-xs text-soft">
                  {job.status === 'complete' && job.result
                    ? `${Math.round(job.result.bpm)} bpm · ${clock(job.result.duration_sec)}`
                    : job.status === 'processing'
                      ? `${Math.round(job.progress)} %`
                      : STAGE_WORDS[job.stage]}
                </span>
              </span>
              <span className="mt-1 line-clamp-2 text-soft">{job.feedback ?? 'The first idea'}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
