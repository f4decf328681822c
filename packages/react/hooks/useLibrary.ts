/** The list of the user's mashups. */
import { useEffect, useState } from 'react';
import { fromDatabaseError, toMashupJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { useStudio } from '../state/studio.tsx';
import { useJobChanges } from './useJobChanges.ts';

const PAGE = 60;

export interface Library {
  /** Newest first; undefined until they have been read. */
  mashups: MashupJob[] | undefined;
  problem: Problem | undefined;
  refresh(): Promise<void>;
}

/** Reads the user's mashups, without drafts, and keeps them current over Realtime. */
export function useLibrary(): Library {
  const { supabase } = useStudio();
  const [mashups, setMashups] = useState<MashupJob[]>();
  const [problem, setProblem] = useState<Problem>();

  const refresh = async (): Promise<void> => {
    const { data, error, status } = await supabase
      .from('mashup_jobs')
      .select('*')
      .is('hold', null)
      .order('created_at', { ascending: false })
      .limit(PAGE);
    if (error) return setProblem(toProblem(fromDatabaseError(error, status)));
    setProblem(undefined);
    setMashups((data as object[]).map(toMashupJob));
  };

  const isSignedIn = useJobChanges(
    (job) => setMashups((known) => patch(known, job)),
    () => void refresh(),
  );
  useEffect(() => {
    if (isSignedIn === false) setMashups([]);
  }, [isSignedIn]);

  return { mashups, problem, refresh: async () => void (isSignedIn === true && (await refresh())) };
}

/** Returns the list with one row updated. An unknown row is a draft that has just been started; it is added. */
function patch(known: MashupJob[] | undefined, row: MashupJob): MashupJob[] | undefined {
  if (known === undefined || row.hold !== null) return known;
  if (!known.some((job) => job.id === row.id)) return [row, ...known];
  return known.map((job) => (job.id === row.id && job.version <= row.version ? { ...job, ...row } : job));
}
