/** One sound at a time: what starts to play pauses what played before on the same page. */
import { createStore } from '../state/store.ts';
import type { Store } from '../state/store.ts';

/** The function that pauses what played last. */
export const soleSound: Store<{ pause: (() => void) | undefined }> = createStore<{ pause: (() => void) | undefined }>({
  pause: undefined,
});

/** Tells that something plays. What played before is paused. @param pause pauses it; the same function each time */
export function startsToPlay(pause: () => void): void {
  const before = soleSound.get().pause;
  if (before === pause) return;
  soleSound.set({ pause });
  before?.();
}

/** Forgets what is not there any more. @param pause as given to `startsToPlay` */
export function leaves(pause: () => void): void {
  if (soleSound.get().pause === pause) soleSound.set({ pause: undefined });
}
