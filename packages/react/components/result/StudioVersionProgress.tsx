import { useState } from 'react';
import { cancelMashup } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { Notice } from '../common/Notice.tsx';

/** How far the studio version of a complete job is, while its draft plays. */
export function StudioVersionProgress({ job }: { job: MashupJob }) {
  const { supabase } = useStudio();
  const [problem, setProblem] = useState<Problem>();
  const { state, progress = 0, step = '' } = job.studioVersion ?? {};
  if (state !== 'separating' && state !== 'rendering') return null;
  const stop = (): void => {
    setProblem(undefined);
    cancelMashup(supabase, job.id).catch((error: unknown) => setProblem(toProblem(error)));
  };
  return (
    <div className="rounded-xl border border-line p-3" data-testid="studio-progress">
      <div className="flex flex-wrap items-center gap-x-3">
        <div className="min-w-0 basis-full sm:flex-1 sm:basis-0">
          <p className="text-sm font-medium">The studio version is being made. You hear the draft.</p>
          <p className="truncate text-xs text-soft" aria-live="polite" title={step}>
            {step}
          </p>
        </div>
        <span className="flex-1 text-xs text-soft sm:flex-none">{Math.round(progress)} %</span>
        <button type="button" className="button-quiet" onClick={stop}>
          Keep the draft
        </button>
      </div>
      <div
        role="progressbar"
        aria-label="Progress of the studio version"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(progress)}
        className="mt-2 h-1.5 overflow-hidden rounded-full bg-raised"
      >
        <div
          className="h-full rounded-full bg-accent transition-[width] duration-500"
          style={{ width: `${progress}%` }}
        />
      </div>
      {problem && <Notice problem={problem} />}
    </div>
  );
}
