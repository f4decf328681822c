/** The mixer of a mashup: asks for its stems, loads what plays them, and gives both to the player. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import type { MashupJob } from '@mashup-engine/client';
import type { OpenMix } from '../audio/stems/open-mix.ts';
import { partLoader } from '../state/load-part.ts';
import { toProblem } from '../state/problem.ts';
import type { Problem } from '../state/problem.ts';
import { useStudio } from '../state/studio.tsx';
import { useMashupStems } from './useMashupStems.ts';
import type { MashupStemsState } from './useMashupStems.ts';
import type { PlayerStems } from './usePlayback.ts';

export interface StemMixState extends MashupStemsState {
  isOpen: boolean;
  /** The mix, as soon as the stems are there and what plays them has been loaded. */
  mix: OpenMix['mix'] | undefined;
  /** For `Player`; undefined while the file is to be played. */
  player: PlayerStems | undefined;
  /** Whether the stems are what is heard. */
  isHeard: boolean;
  /** Opens the mixer, and asks for the stems unless they are there or being made. */
  open(): void;
  /** Closes the mixer: the file is played again. What was set is kept. */
  close(): void;
}

/** The mixer of a job's result. Another result has another mix, and a closed mixer. */
export function useStemMix(job: MashupJob | undefined): StemMixState {
  const { supabase } = useStudio();
  const files = useMashupStems(job);
  const { summary, stems, request } = files;
  const [openedFor, setOpenedFor] = useState<string>();
  const [opened, setOpened] = useState<{ stems: object; mix: OpenMix }>();
  const [failure, setFailure] = useState<Problem>();
  const [isHeard, setIsHeard] = useState(false);
  const path = job?.resultPath ?? undefined;
  const isOpen = path !== undefined && openedFor === path;
  const mix = stems !== undefined && opened?.stems === stems ? opened.mix : undefined;

  useEffect(() => {
    if (!isOpen || stems === undefined || mix !== undefined) return;
    let isWanted = true;
    import('../audio/stems/open-mix.ts').then(
      ({ openMix }) => isWanted && setOpened({ stems, mix: openMix(stems, partLoader(supabase)) }),
      (error: unknown) => isWanted && setFailure(toProblem(error)),
    );
    return () => void (isWanted = false);
  }, [supabase, isOpen, stems, mix]);

  const player = useMemo(
    (): PlayerStems | undefined =>
      isOpen && mix !== undefined
        ? {
            open: mix.open,
            onHeard: setIsHeard,
            onFailed(error) {
              setFailure(toProblem(error));
              setOpenedFor(undefined);
            },
          }
        : undefined,
    [isOpen, mix],
  );

  return {
    ...files,
    problem: failure ?? files.problem,
    isOpen,
    mix: mix?.mix,
    player,
    isHeard: isHeard && player !== undefined,
    open: useCallback(() => {
      setFailure(undefined);
      setOpenedFor(path);
      if (summary?.state !== 'ready' && summary?.state !== 'pending') void request();
    }, [path, summary?.state, request]),
    close: useCallback(() => setOpenedFor(undefined), []),
  };
}
