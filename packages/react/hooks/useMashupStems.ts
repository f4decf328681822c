/** The stems of a finished mashup, for the player and for downloads. */
import { useCallback, useEffect, useState } from 'react';
import { readStems, requestStems } from '@mashup-engine/client';
import type { MashupJob, MashupStemsSummary, ReadyStems } from '@mashup-engine/client';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { retryUntilDone } from '../state/retry-until-done.ts';
import { useStudio } from '../state/studio.tsx';

export interface MashupStemsState {
  /** What the job's row says: absent until they are asked for. */
  summary: MashupStemsSummary | undefined;
  /** The files, as soon as they are there and read. */
  stems: ReadyStems | undefined;
  /** Why they could not be asked for. */
  problem: Problem | undefined;
  /** Asks for the stems, also again after a failure. */
  request(): Promise<void>;
}

/** Follows the stems of a job's result by its row, and reads their files when they are ready. */
export function useMashupStems(job: Pick<MashupJob, 'id' | 'resultPath' | 'result'> | undefined): MashupStemsState {
  const { supabase } = useStudio();
  const [read, setRead] = useState<{ path: string; stems: ReadyStems }>();
  const [problem, setProblem] = useState<Problem>();
  const id = job?.id;
  const path = job?.resultPath ?? undefined;
  const summary = path === undefined ? undefined : job?.result?.stems;
  const isReady = summary?.state === 'ready';

  useEffect(() => {
    if (id === undefined || path === undefined || !isReady) return;
    return retryUntilDone(async (isWanted) => {
      const stems = await readStems(supabase, { id, resultPath: path });
      if (stems?.state !== 'ready') return false;
      if (isWanted()) setRead({ path, stems });
      return true;
    });
  }, [supabase, id, path, isReady]);

  const request = useCallback(async (): Promise<void> => {
    if (id === undefined) return;
    try {
      setProblem(undefined);
      await requestStems(supabase, id);
    } catch (error) {
      setProblem(toProblem(error));
    }
  }, [supabase, id]);

  return { summary, stems: isReady && read?.path === path ? read?.stems : undefined, problem, request };
}
