/** Checks wishes before a mashup is requested. */
import { useMemo, useState } from 'react';
import { findWishProblem } from '../../hooks/useWishReading.ts';
import type { Problem } from '../../state/problem.ts';
import type { StudioSong } from '../../state/songs.ts';
import { useStore } from '../../state/store.ts';
import { useStudio } from '../../state/studio.tsx';
import type { NamedSong } from '../../state/wish-reading.ts';

export interface WishCheck {
  /** The selected songs as wishes may name them. */
  names: readonly NamedSong[];
  /** Why the last wishes did not start a mashup. */
  refusal: Problem | undefined;
  /** Whether a mashup may be started with a text. Where a language model reads it, any text may. */
  isUnderstood(text: string | undefined): Promise<boolean>;
  dismiss(): void;
}

/** Checks wishes about the selected songs. */
export function useWishCheck(songs: readonly StudioSong[]): WishCheck {
  const { wishesReadBy, analyses } = useStore(useStudio().selection);
  const [refusal, setRefusal] = useState<Problem>();
  const names = useMemo(
    () => songs.map(({ id, name, artist }) => ({ id, name, artist, analysis: analyses.get(id) })),
    [songs, analyses],
  );
  return {
    names,
    refusal,
    async isUnderstood(text = '') {
      const problem = wishesReadBy === 'rules' ? await findWishProblem(text, names) : undefined;
      setRefusal(problem);
      return problem === undefined;
    },
    dismiss: () => setRefusal(undefined),
  };
}
