/** The signed link to a job's audio. */
import { useCallback, useEffect, useState } from 'react';
import { signResultUrl } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { useStudio } from '../state/studio.tsx';
import { retryUntilDone } from '../state/retry-until-done.ts';

/** Links are valid for one hour and are renewed before that. */
const RENEW_MS = 50 * 60_000;

/** Signs a link to the audio of a complete job and renews it before it expires. `renew` signs it again at once. */
export function useResultUrl(job: MashupJob | undefined): {
  url: string | undefined;
  problem: Problem | undefined;
  renew: () => void;
} {
  const { supabase } = useStudio();
  const [signed, setSigned] = useState<{ path: string; url: string }>();
  const [problem, setProblem] = useState<Problem>();
  const [renewal, setRenewal] = useState(0);
  const path = job?.status === 'complete' ? job.resultPath : null;

  useEffect(() => {
    if (path === null || path === undefined) return;
    const stop = retryUntilDone(async (isWanted) => {
      try {
        const url = await signResultUrl(supabase, { resultPath: path, expiredAt: null, takedownReason: null });
        if (!isWanted()) return true;
        setSigned({ path, url });
        setProblem(undefined);
        return true;
      } catch (error) {
        if (isWanted()) setProblem(toProblem(error));
        return false;
      }
    });
    const timer = setTimeout(() => setRenewal((count) => count + 1), RENEW_MS);
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [supabase, path, renewal]);

  return {
    url: signed?.path === path ? signed?.url : undefined,
    problem,
    renew: useCallback(() => setRenewal((count) => count + 1), []),
  };
}
