/** What separates songs, as far as the page offers a choice. */
import { useEffect, useState } from 'react';
import { readSeparators } from '@mashup-engine/client';
import type { Separators } from '@mashup-engine/client';
import { retryUntilDone } from '../state/retry-until-done.ts';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

/** Reads what separates songs; undefined until it is known. */
export function useSeparators(): Separators | undefined {
  const { supabase, session } = useStudio();
  const userId = useStore(session).session?.user.id;
  const [separators, setSeparators] = useState<Separators>();
  useEffect(() => {
    if (userId === undefined) return;
    return retryUntilDone(async (isWanted) => {
      const read = await readSeparators(supabase);
      if (isWanted()) setSeparators(read);
      return true;
    });
  }, [supabase, userId]);
  return separators;
}
