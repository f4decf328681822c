/** The list of the user's mashups. */
import { useEffect, useState } from 'react';
import { fromDatabaseError, onPageResume, toMashupJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

const PAGE = 60;
/** The list is also read at this interval, in case Realtime missed a change. */
const SAFETY_READ_MS = 30_000;

export interface Library {
  /** Newest first; undefined until they have been read. */
  mashups: MashupJob[] | undefined;
  problem: Problem | undefined;
  refresh(): Promise<void>;
}

/** Reads the user's mashups, without drafts, and keeps them current over Realtime. */
export function useLibrary(): Library {
  const { supabase, session: sessionStore } = useStudio();
  const { session } = useStore(sessionStore);
  const userId = session?.user.id;
  const [mashups, setMashups] = useState<MashupJob[]>();
  const [problem, setProblem] = useState<Problem>();

  const refresh = async (): Promise<void> => {
    if (userId === undefined) return;
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

  useEffect(() => {
    if (session === null) setMashups([]);
    if (userId === undefined) return;
    void refresh();
    const timer = setInterval(() => void refresh(), SAFETY_READ_MS);
    const stopListening = onPageResume(() => void refresh());
    const channel = supabase
      .channel(`library:${crypto.randomUUID()}`)
      .on('system', {}, () => void refresh())
      .on(
        'postgres_changes',
        { event: '*', schema: 'public', table: 'mashup_jobs', filter: `user_id=eq.${userId}` },
        ({ eventType, new: row }) => {
          if (eventType === 'UPDATE') setMashups((known) => patch(known, toMashupJob(row)));
          else void refresh();
        },
      )
      .subscribe();
    return () => {
      clearInterval(timer);
      stopListening();
      void supabase.removeChannel(channel);
    };
    // `refresh` is a new function on each render, but depends only on these values.
  }, [supabase, userId, session === null]);

  return { mashups, problem, refresh };
}

/** Returns the list with one row updated. An unknown row is a draft that has just been started; it is added. */
function patch(known: MashupJob[] | undefined, row: MashupJob): MashupJob[] | undefined {
  if (known === undefined || row.hold !== null) return known;
  if (!known.some((job) => job.id === row.id)) return [row, ...known];
  return known.map((job) => (job.id === row.id && job.version <= row.version ? { ...job, ...row } : job));
}
