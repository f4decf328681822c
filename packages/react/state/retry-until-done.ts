/** Repeats a read until it succeeds, also on an unreliable network. */
import { onPageResume } from '@mashup-engine/client';

/** Pauses between attempts in milliseconds; the last one repeats. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

/**
 * Calls `work` until it resolves to true: after a pause, and at once when the page resumes or the network is back. A
 * rejection counts as a failed attempt. `work` can ask `isWanted` whether its result is still needed. Returns a function
 * that stops the attempts.
 */
export function retryUntilDone(work: (isWanted: () => boolean) => Promise<boolean>): () => void {
  let isStopped = false;
  let isRunning = false;
  let attempt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stop = (): void => {
    isStopped = true;
    clearTimeout(timer);
    stopListening();
  };
  const run = async (): Promise<void> => {
    if (isStopped || isRunning) return;
    clearTimeout(timer);
    isRunning = true;
    const isDone = await work(() => !isStopped).catch(() => false);
    isRunning = false;
    if (isStopped) return;
    if (isDone) return stop();
    timer = setTimeout(() => void run(), PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]);
    attempt += 1;
  };
  const stopListening = onPageResume(() => void run());
  void run();
  return stop;
}
