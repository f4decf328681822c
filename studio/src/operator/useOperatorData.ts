/** The operator's documents: read at once and periodically, while the page is visible. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { PostgrestError, SupabaseClient } from '@supabase/supabase-js';
import type { Problem } from '@mashup-engine/react';
import { fromOperatorError } from './actions.ts';
import type { JobHistoryData, Overview, StageTimes } from './types.ts';

/** Realtime sends an operator only the operator's own jobs, so the documents are read at this interval. */
const READ_EVERY_MS = 2_000;
/** The times of the stages come from all events of a day: seconds of work where many jobs end. */
const READ_THROUGHPUT_EVERY_MS = 60_000;

/** Calls `read` at once, then periodically while the page is visible, and when it becomes visible again. */
export function usePolling(read: () => Promise<void>, everyMs: number): void {
  useEffect(() => {
    let isRunning = false;
    const run = (): void => {
      if (document.hidden || isRunning) return;
      isRunning = true;
      void read().finally(() => (isRunning = false));
    };
    run();
    const timer = setInterval(run, everyMs);
    document.addEventListener('visibilitychange', run);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', run);
    };
  }, [read, everyMs]);
}

export interface OperatorDocument<T> {
  /** Undefined until it was read. */
  data: T | undefined;
  problem: Problem | undefined;
  refresh: () => Promise<void>;
}

/**
 * Reads a document by a function of the operator's API, again and again.
 * @param parameters of the function; when they change, the document is another one
 */
export function useOperatorDocument<T>(
  supabase: SupabaseClient,
  name: string,
  parameters: Record<string, unknown> = {},
  everyMs: number = READ_EVERY_MS,
): OperatorDocument<T> {
  const key = JSON.stringify(parameters);
  const [state, setState] = useState<{ key: string; data?: T; problem?: Problem }>({ key });
  const wanted = useRef(key);
  wanted.current = key;

  const refresh = useCallback(async (): Promise<void> => {
    const { data, error } = (await supabase.rpc(name, JSON.parse(key) as object)) as {
      data: T | null;
      error: PostgrestError | null;
    };
    if (wanted.current !== key) return;
    // What was read before stays while a call fails.
    if (error) setState((last) => ({ ...(last.key === key ? last : { key }), problem: fromOperatorError(error) }));
    else setState({ key, data: data ?? undefined });
  }, [supabase, name, key]);

  usePolling(refresh, everyMs);
  const isCurrent = state.key === key;
  return { data: isCurrent ? state.data : undefined, problem: isCurrent ? state.problem : undefined, refresh };
}

/** Reads the state of the whole engine. */
export const useOverview = (supabase: SupabaseClient, everyMs?: number): OperatorDocument<Overview> =>
  useOperatorDocument<Overview>(supabase, 'operator_overview', {}, everyMs);

/** Reads how long the stages took in the last day. */
export const useThroughput = (supabase: SupabaseClient): OperatorDocument<StageTimes[]> =>
  useOperatorDocument<StageTimes[]>(supabase, 'operator_throughput', {}, READ_THROUGHPUT_EVERY_MS);

/** Reads a job with its tasks and events. */
export const useJobHistory = (supabase: SupabaseClient, jobId: string): OperatorDocument<JobHistoryData> =>
  useOperatorDocument<JobHistoryData>(supabase, 'operator_job_history', { job_id: jobId });
