/** The public link of a mashup, for its owner. */
import { useCallback, useEffect, useState } from 'react';
import { MashupClientError, readShare, shareMashup, unshareMashup } from '@mashup-engine/client';
import type { MashupJob, ShareState } from '@mashup-engine/client';
import type { SupabaseClient } from '@supabase/supabase-js';
import { toProblem } from '../../state/problem.ts';
import type { Problem } from '../../state/problem.ts';
import { useStudio } from '../../state/studio.tsx';

export interface Share {
  /** Null: there is no link. Undefined until that is known. */
  share: ShareState | null | undefined;
  /** Sharing is switched off: a link, if there is one, leads nowhere. */
  isOff: boolean;
  isBusy: boolean;
  problem: Problem | undefined;
  /** Makes the link. */
  make(): Promise<void>;
  /** Revokes the link. */
  stop(): Promise<void>;
}

/** Reads the public link of a job, and reads it again when the job's row shows a change. */
export function useShare({ id, sharedAt }: MashupJob): Share {
  const { supabase } = useStudio();
  const [share, setShare] = useState<ShareState | null>();
  const [isOff, setIsOff] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  const attempt = useCallback(async (work: () => Promise<ShareState | null>): Promise<void> => {
    setIsBusy(true);
    setProblem(undefined);
    try {
      setShare(await work());
    } catch (error) {
      if (error instanceof MashupClientError && error.code === 'sharing_disabled') setIsOff(true);
      setProblem(toProblem(error));
    } finally {
      setIsBusy(false);
    }
  }, []);
  const make = useCallback(() => attempt(() => makeLink(supabase, id)), [supabase, id, attempt]);

  useEffect(() => {
    let isWanted = true;
    void readShare(supabase, id).then(
      (read) => {
        if (!isWanted) return;
        setShare(read);
        // Asking for the link that is there tells whether it is served.
        if (read !== null && read.token !== null) void make();
      },
      (error: unknown) => {
        if (isWanted) setProblem(toProblem(error));
      },
    );
    return () => {
      isWanted = false;
    };
  }, [supabase, id, sharedAt, make]);

  return {
    share,
    isOff,
    isBusy,
    problem,
    make,
    stop: () =>
      attempt(async () => {
        await unshareMashup(supabase, id);
        return null;
      }),
  };
}

/** Makes the link, or returns why it was taken down meanwhile. */
async function makeLink(supabase: SupabaseClient, id: string): Promise<ShareState> {
  try {
    return { ...(await shareMashup(supabase, id)), reason: null };
  } catch (error) {
    const isTakenDown = error instanceof MashupClientError && error.code === 'taken_down';
    const read = isTakenDown ? await readShare(supabase, id) : null;
    if (read?.token !== null) throw error;
    return read;
  }
}
