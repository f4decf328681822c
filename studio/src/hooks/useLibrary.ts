/** The user's mashups, newest first, live. */
import { useEffect, useState } from 'react';
import { fromDatabaseError, onPageResume } from '@mashup-engine/client';
import type { MashupJob } from '../../../schema.ts';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

const PAGE = 60;
/** The list is read again this often although nothing was heard. */
const SAFETY_READ_MS = 30_000;

export interface Library {
  /** Undefined until they are known. */
  mashups: MashupJob[] | undefined;
  problem: Problem | undefined;
  refresh(): Promise<void>;
}

export function useLibrary(): Library {
  const { supabase, session: keeper } = useStudio();
  const { session } = useStore(keeper);
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
    setMashups(data as MashupJob[]);
  };

  useEffect(() => {
    if (session === null) setMashups([]);
    if (userId === undefined) return;
    void refresh();
    const timer = setInterval(() => void refresh(), SAFETY_READ_MS);
    const unhear = onPageResume(() => void refresh());
    const channel = supabase
      .channel(`library:${crypto.randomUUID()}`)
      .on('system', {}, () => void refresh())
      .on(
        'postgres_changes',
        { event: '*', schema: 'public', table: 'mashup_jobs', filter: `user_id=eq.${userId}` },
        ({ eventType, new: row }) => {
          if (eventType === 'UPDATE') setMashups((known) => patch(known, row as MashupJob));
          else void refresh();
        },
      )
      .subscribe();
    return () => {
      clearInterval(timer);
      unhear();
      void supabase.removeChannel(channel);
    };
    // `refresh` is made anew each time and depends on these alone.
  }, [supabase, userId, session === null]);

  return { mashups, problem, refresh };
}

/** The list with one row as it is now. A draft that was started has just become a mashup. */
function patch(known: MashupJob[] | undefined, row: MashupJob): MashupJob[] | undefined {
  if (known === undefined || row.hold !== null) return known;
  if (!known.some((job) => job.id === row.id)) return [row, ...known];
  return known.map((job) => (job.id === row.id && job.version <= row.version ? { ...job, ...row } : job));
}
