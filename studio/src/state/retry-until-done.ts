/** What has to be read, on a network that comes and goes. */
import { onPageResume } from '@mashup-engine/client';

/** Pauses between attempts in milliseconds; the last one repeats. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

/**
 * Does something until it answers true: again after a pause, and at once when page or network are back. A rejection is
 * an attempt that did not work. `isWanted` is asked after each wait. Returns how to give it up.
 */
export function untilDone(work: (isWanted: () => boolean) => Promise<boolean>): () => void {
  let isOver = false;
  let isAtWork = false;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stop = (): void => {
    isOver = true;
    clearTimeout(timer);
    unhear();
  };
  const tryIt = async (): Promise<void> => {
    if (isOver || isAtWork) return;
    clearTimeout(timer);
    isAtWork = true;
    const isDone = await work(() => !isOver).catch(() => false);
    isAtWork = false;
    if (isOver) return;
    if (isDone) return stop();
    timer = setTimeout(() => void tryIt(), PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]);
    attempt += 1;
  };
  const unhear = onPageResume(() => void tryIt());
  void tryIt();
  return stop;
}
