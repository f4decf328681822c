/** The operator's documents: the overview, and the history of one job. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Problem } from '@mashup-engine/react';
import { fromOperatorError } from './actions.ts';
import type { Overview, JobHistoryData } from './types.ts';

/** Realtime sends an operator only the operator's own jobs, so the documents are read at this interval. */
const READ_EVERY_MS = 2_000;

export interface OperatorView {
  overview: Overview | undefined;
  history: JobHistoryData | undefined;
  problem: Problem | undefined;
  refresh: () => Promise<void>;
}

/** Reads the overview, and the history of the job if one is given: at once, and periodically. */
export function useOperatorData(supabase: SupabaseClient, jobId: string | undefined): OperatorView {
  const [overview, setOverview] = useState<Overview>();
  const [history, setHistory] = useState<JobHistoryData>();
  const [problem, setProblem] = useState<Problem>();
  const wantedId = useRef(jobId);
  wantedId.current = jobId;

  const refresh = useCallback(async (): Promise<void> => {
    const id = wantedId.current;
    const [all, one] = await Promise.all([
      supabase.rpc('operator_overview'),
      id === undefined ? undefined : supabase.rpc('operator_job_history', { job_id: id }),
    ]);
    const failure = all.error ?? one?.error;
    if (failure) return setProblem(fromOperatorError(failure));
    setProblem(undefined);
    setOverview(all.data as Overview);
    if (id === wantedId.current) setHistory((one?.data as JobHistoryData | null | undefined) ?? undefined);
  }, [supabase]);

  useEffect(() => {
    setHistory(undefined);
    void refresh();
  }, [refresh, jobId]);

  useEffect(() => {
    const timer = setInterval(() => void refresh(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [refresh]);

  return { overview, history, problem, refresh };
}
