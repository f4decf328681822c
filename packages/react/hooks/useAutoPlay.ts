/** Whether mashups play by themselves as soon as their first part is rendered: a choice that the browser keeps. */
import { useState } from 'react';
import { useStore } from '../state/store.ts';
import { useStudio } from '../state/studio.tsx';

const STORAGE_KEY = 'mashup-autoplay';

function readChoice(): boolean {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'on';
  } catch {
    return false;
  }
}

export interface AutoPlay {
  /** What the user has chosen. */
  isChosen: boolean;
  choose(isChosen: boolean): void;
  /** Whether this job plays by itself: it was started in this page, or the choice was made here. Other pages stay silent. */
  applies: boolean;
}

/** The choice, and whether it applies to a job. */
export function useAutoPlay(jobId: string): AutoPlay {
  const { startedIds } = useStore(useStudio().generator);
  const [isChosen, setIsChosen] = useState(readChoice);
  const [chosenFor, setChosenFor] = useState('');
  return {
    isChosen,
    choose(next) {
      setIsChosen(next);
      setChosenFor(jobId);
      try {
        localStorage.setItem(STORAGE_KEY, next ? 'on' : 'off');
      } catch {
        // Without storage the choice holds for this page.
      }
    },
    applies: isChosen && (chosenFor === jobId || startedIds.includes(jobId)),
  };
}
