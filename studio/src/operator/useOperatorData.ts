/** The operator's documents: read at once, on each change that Realtime tells of, and slowly all along. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import { fromOperatorError } from './actions.ts';
import type { Problem } from '../state/problem.ts';
import type { Overview, Story } from './types.ts';

const READ_EVERY_MS = 4_000;
/** Many changes in a row are one reading. */
const GATHER_MS = 300;

export interface OperatorView {
  overview: Overview | undefined;
  story: Story | undefined;
  problem: Problem | undefined;
  refresh: () => Promise<void>;
}

export function useOperator(supabase: SupabaseClient, jobId: string | undefined): OperatorView {
  const [overview, setOverview] = useState<Overview>();
  const [story, setStory] = useState<Story>();
  const [problem, setProblem] = useState<Problem>();
  const wanted = useRef(jobId);
  wanted.current = jobId;

  const refresh = useCallback(async (): Promise<void> => {
    const id = wanted.current;
    const [all, one] = await Promise.all([
      supabase.rpc('operator_overview'),
      id === undefined ? undefined : supabase.rpc('operator_job_history', { job_id: id }),
    ]);
    const failure = all.error ?? one?.error;
    if (failure) return setProblem(fromOperatorError(failure));
    setProblem(undefined);
    setOverview(all.data as Overview);
    if (id === wanted.current) setStory((one?.data as Story | null | undefined) ?? undefined);
  }, [supabase]);

  useEffect(() => {
    setStory(undefined);
    void refresh();
  }, [refresh, jobId]);

  useEffect(() => {
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const timer = setInterval(() => void refresh(), READ_EVERY_MS);
    const channel = supabase
      .channel('operator')
      .on('postgres_changes', { event: '*', schema: 'public', table: 'mashup_jobs' }, () => {
        clearTimeout(gathering);
        gathering = setTimeout(() => void refresh(), GATHER_MS);
      })
      .subscribe();
    return () => {
      clearInterval(timer);
      clearTimeout(gathering);
      void supabase.removeChannel(channel);
    };
  }, [supabase, refresh]);

  return { overview, story, problem, refresh };
}
