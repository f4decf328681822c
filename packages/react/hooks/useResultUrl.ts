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

/** Links by the paths of their files, so that a switch between two results needs no request. */
type Links = ReadonlyMap<string, { url: string; renewAt: number }>;

/** Signs a link to the audio of a complete job and renews it before it expires. `renew` signs it again at once. */
export function useResultUrl(job: MashupJob | undefined): {
  url: string | undefined;
  problem: Problem | undefined;
  renew: () => void;
} {
  const { supabase } = useStudio();
  const [links, setLinks] = useState<Links>(new Map());
  const [problem, setProblem] = useState<Problem>();
  const [renewal, setRenewal] = useState(0);
  const path = job?.status === 'complete' ? (job.resultPath ?? undefined) : undefined;
  const renewAt = path === undefined ? undefined : links.get(path)?.renewAt;

  useEffect(() => {
    if (path === undefined) return;
    if (renewAt !== undefined && Date.now() < renewAt) {
      const timer = setTimeout(() => setRenewal((count) => count + 1), renewAt - Date.now());
      return () => clearTimeout(timer);
    }
    return retryUntilDone(async (isWanted) => {
      try {
        const url = await signResultUrl(supabase, { resultPath: path, expiredAt: null, takedownReason: null });
        if (!isWanted()) return true;
        setLinks((known) => new Map([...known, [path, { url, renewAt: Date.now() + RENEW_MS }]]));
        setProblem(undefined);
        return true;
      } catch (error) {
        if (isWanted()) setProblem(toProblem(error));
        return false;
      }
    });
  }, [supabase, path, renewAt, renewal]);

  return {
    url: path === undefined ? undefined : links.get(path)?.url,
    problem,
    renew: useCallback(() => {
      if (path === undefined) return;
      setLinks(
        (known) => new Map([...known].map(([one, link]) => [one, one === path ? { ...link, renewAt: 0 } : link])),
      );
    }, [path]),
  };
}
