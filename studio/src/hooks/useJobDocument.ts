/** A job with its plan and quality report. */
import { useEffect, useState } from 'react';
import type { MashupJob, Plan, RenderResult } from '../../../schema.ts';
import { useStudio } from '../state/studio.tsx';
import { retryUntilDone } from '../state/retry-until-done.ts';

/** What the SQL function `get_mashup` returns. */
export type JobDocument = MashupJob & {
  plan: Plan | null;
  plan_source: 'claude' | 'rules' | null;
  plan_changes: string | null;
  quality: Partial<RenderResult> | null;
  server_now: string;
};

/** Offset of the server's clock from this one, in milliseconds; updated with each document. */
let clockOffset = 0;

/** The server's time, in milliseconds since the epoch. */
export function serverNow(): number {
  return Date.now() + clockOffset;
}

/** Reads a job's document, and reads it again when the job's row shows another run, plan or result. */
export function useJobDocument(job: MashupJob | undefined): JobDocument | undefined {
  const { supabase } = useStudio();
  const [document, setDocument] = useState<JobDocument>();
  const id = job?.id;
  const state = `${job?.epoch} ${job?.plan_version} ${job?.result_path}`;

  useEffect(() => {
    if (id === undefined) return;
    return retryUntilDone(async (isWanted, signal) => {
      const { data, error } = await supabase.rpc('get_mashup', { job_id: id }).abortSignal(signal);
      if (error) return false;
      if (data === null || !isWanted()) return true;
      const read = data as JobDocument;
      clockOffset = Date.parse(read.server_now) - Date.now();
      setDocument(read);
      return true;
    });
  }, [supabase, id, state]);

  return document?.id === id ? document : undefined;
}
