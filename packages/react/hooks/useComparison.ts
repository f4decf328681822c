/** Which result of a mashup is heard: its draft or its studio version. */
import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import { readDraft } from '@mashup-engine/client';
import type { DraftResult, MashupJob } from '@mashup-engine/client';
import { retryUntilDone } from '../state/retry-until-done.ts';
import { useStudio } from '../state/studio.tsx';

export type MashupVersion = 'draft' | 'studio';

export interface Comparison {
  /** The job with the result that is heard. */
  heard: MashupJob | undefined;
  /** The draft; undefined while there is only one result. */
  draft: DraftResult | undefined;
  version: MashupVersion;
  choose(version: MashupVersion): void;
}

/**
 * Lets a listener compare draft and studio version. A studio version that arrives is heard at once, unless the draft is being mixed.
 * @param isMixing whether the listener mixes the stems of what is heard
 */
export function useComparison(job: MashupJob | undefined, isMixing: RefObject<boolean>): Comparison {
  const read = useDraft(job);
  const [choice, setChoice] = useState<{ path: string; version: MashupVersion }>();
  const held = useRef<MashupJob>(undefined);
  const before = held.current?.id === job?.id ? held.current : undefined;
  const path = job?.resultPath ?? undefined;
  const isArriving = path !== undefined && before?.resultPath !== path && choice?.path !== path;
  const version = choice?.path === path ? (choice?.version ?? 'studio') : 'studio';
  const isKnown = job?.studioVersion?.state !== 'ready' || read !== undefined;
  if (isArriving && before !== undefined && read && isMixing.current) setChoice({ path, version: 'draft' });

  const draft = read ?? undefined;
  // Until it is known whether there is a draft, what was heard is heard on.
  const heard =
    job === undefined || (isKnown && version === 'studio')
      ? job
      : draft !== undefined && version === 'draft'
        ? withDraft(job, draft)
        : (before ?? job);
  useEffect(() => void (held.current = heard));
  return {
    heard,
    draft,
    version,
    choose(next) {
      if (path !== undefined) setChoice({ path, version: next });
    },
  };
}

/** A job with its draft as the result. */
function withDraft(job: MashupJob, { path, quality, separation, stems }: DraftResult): MashupJob {
  if (job.result === null) return job;
  const { loudness_lufs: loudnessLufs, true_peak_dbtp: truePeakDbtp } = quality;
  const result = {
    ...job.result,
    ...(typeof loudnessLufs === 'number' ? { loudnessLufs } : {}),
    ...(typeof truePeakDbtp === 'number' ? { truePeakDbtp } : {}),
    separation,
    stems: stems?.state === 'ready' ? { state: stems.state } : undefined,
  };
  return { ...job, resultPath: path, result };
}

/** The draft of a job: undefined until it is known, null if there is none. */
function useDraft(job: MashupJob | undefined): DraftResult | null | undefined {
  const { supabase } = useStudio();
  const [read, setRead] = useState<{ path: string; draft: DraftResult | null }>();
  const path = job?.studioVersion?.state === 'ready' ? (job.resultPath ?? undefined) : undefined;
  useEffect(() => {
    if (job === undefined || path === undefined) return;
    return retryUntilDone(async (isWanted) => {
      const draft = await readDraft(supabase, job);
      if (isWanted()) setRead({ path, draft });
      return true;
    });
    // Another result has another path.
  }, [supabase, job?.id, path]);
  return path !== undefined && read?.path === path ? read?.draft : undefined;
}
