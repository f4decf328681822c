import { useState } from 'react';
import { cancelMashup } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';
import { Notice } from '../common/Notice.tsx';
import { ProgressBar } from '../common/ProgressBar.tsx';

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
      <ProgressBar label="Progress of the studio version" percent={progress} className="mt-2 h-1.5" />
      {problem && <Notice problem={problem} />}
    </div>
  );
}
