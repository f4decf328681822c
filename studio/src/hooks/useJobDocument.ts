/** One job with its plan and quality report, read again whenever its row says that they are others. */
import { useEffect, useState } from 'react';
import type { MashupJob, Plan, RenderResult } from '../../../schema.ts';
import { useStudio } from '../state/studio.tsx';
import { untilDone } from '../state/retry-until-done.ts';

export type JobDocument = MashupJob & {
  plan: Plan | null;
  plan_source: 'claude' | 'rules' | null;
  plan_changes: string | null;
  quality: Partial<RenderResult> | null;
  server_now: string;
};

/** How far the server's clock is ahead of this one, in milliseconds; learned from each document. */
let clockAhead = 0;

export function serverNow(): number {
  return Date.now() + clockAhead;
}

export function useJobDocument(job: MashupJob | undefined): JobDocument | undefined {
  const { supabase } = useStudio();
  const [document, setDocument] = useState<JobDocument>();
  const id = job?.id;
  const state = `${job?.epoch} ${job?.plan_version} ${job?.result_path}`;

  useEffect(() => {
    if (id === undefined) return;
    return untilDone(async (isWanted) => {
      const { data, error } = await supabase.rpc('get_mashup', { job_id: id });
      if (error) return false;
      if (data === null || !isWanted()) return true;
      const read = data as JobDocument;
      clockAhead = Date.parse(read.server_now) - Date.now();
      setDocument(read);
      return true;
    });
  }, [supabase, id, state]);

  return document?.id === id ? document : undefined;
}
