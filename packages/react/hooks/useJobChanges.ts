/** Changes of the user's mashups over Realtime. */
import { useEffect, useRef } from 'react';
import { onPageResume, toMashupJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

/** Everything is also read at this interval, in case Realtime missed a change. */
const SAFETY_READ_MS = 30_000;

/**
 * Follows the mashups of the user who is signed in.
 * @param onUpdate receives a row that was changed
 * @param onRefresh is called first, when a row was added or deleted, and when changes may have been missed
 * @returns whether a user is signed in; undefined until that is known
 */
export function useJobChanges(onUpdate: (job: MashupJob) => void, onRefresh: () => void): boolean | undefined {
  const { supabase, session: sessionStore } = useStudio();
  const { session } = useStore(sessionStore);
  const userId = session?.user.id;
  const latest = useRef({ onUpdate, onRefresh });
  latest.current = { onUpdate, onRefresh };
  useEffect(() => {
    if (userId === undefined) return;
    const refresh = (): void => latest.current.onRefresh();
    refresh();
    const timer = setInterval(refresh, SAFETY_READ_MS);
    const stopListening = onPageResume(refresh);
    const channel = supabase
      .channel(`library:${crypto.randomUUID()}`)
      .on('system', {}, refresh)
      .on(
        'postgres_changes',
        { event: '*', schema: 'public', table: 'mashup_jobs', filter: `user_id=eq.${userId}` },
        ({ eventType, new: row }) => {
          if (eventType === 'UPDATE') latest.current.onUpdate(toMashupJob(row));
          else refresh();
        },
      )
      .subscribe();
    return () => {
      clearInterval(timer);
      stopListening();
      void supabase.removeChannel(channel);
    };
  }, [supabase, userId]);
  return session === undefined ? undefined : userId !== undefined;
}
