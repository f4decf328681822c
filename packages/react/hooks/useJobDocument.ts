/** A job with its plan and quality report. */
import { useEffect, useState } from 'react';
import { toMashupJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import type { Plan, RenderResult, WishOutcome } from '../../../schema.ts';
import { useStudio } from '../state/studio.tsx';
import { retryUntilDone } from '../state/retry-until-done.ts';

/** What the SQL function `get_mashup` returns: the job with its plan and the report of its rendering. */
export type JobDocument = MashupJob & {
  plan: Plan | null;
  planSource: 'claude' | 'rules' | null;
  planChanges: string | null;
  /** What became of the wishes or the feedback; null without any. */
  planWishes: WishOutcome | null;
  quality: Partial<RenderResult> | null;
  serverNow: string;
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
  const state = `${job?.epoch} ${job?.planVersion} ${job?.resultPath}`;

  useEffect(() => {
    if (id === undefined) return;
    return retryUntilDone(async (isWanted, signal) => {
      const { data, error } = await supabase.rpc('get_mashup', { job_id: id }).abortSignal(signal);
      if (error) return false;
      if (data === null || !isWanted()) return true;
      // Plan and report are documents: they keep the members that they are stored with.
      const { plan, quality, plan_wishes, ...row } = data as Pick<JobDocument, 'plan' | 'quality'> & {
        plan_wishes?: WishOutcome | null;
      };
      const read = { ...toMashupJob(row), plan, quality, planWishes: plan_wishes ?? null } as JobDocument;
      clockOffset = Date.parse(read.serverNow) - Date.now();
      setDocument(read);
      return true;
    });
  }, [supabase, id, state]);

  return document?.id === id ? document : undefined;
}
