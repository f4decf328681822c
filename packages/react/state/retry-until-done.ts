/** Repeats a read until it succeeds, also on an unreliable network. */
import { onPageResume } from '@mashup-engine/client';

/** Usual limit of one attempt: a connection that is lost without an error must not block the next one. */
const ATTEMPT_TIMEOUT_MS = 15_000;
/** Pauses between attempts in milliseconds; the last one repeats. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

/**
 * Calls `work` until it resolves to true: after a pause, and at once when the page resumes or the network is back. A
 * rejection counts as a failed attempt. `work` can ask `isWanted` whether its result is still needed; its signal aborts at the
 * time limit, at the stop, and when the page resumes. Returns a function that stops the attempts.
 * @param attemptMs time limit of one attempt
 */
export function retryUntilDone(
  work: (isWanted: () => boolean, signal: AbortSignal) => Promise<boolean>,
  attemptMs: number = ATTEMPT_TIMEOUT_MS,
): () => void {
  let isStopped = false;
  let running: AbortController | undefined;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stop = (): void => {
    isStopped = true;
    clearTimeout(timer);
    running?.abort();
    stopListening();
  };
  const run = async (): Promise<void> => {
    if (isStopped) return;
    clearTimeout(timer);
    running?.abort();
    const attempt = new AbortController();
    running = attempt;
    const limit = setTimeout(() => attempt.abort(), attemptMs);
    const isLatest = (): boolean => !isStopped && running === attempt;
    const isDone = await work(isLatest, attempt.signal).catch(() => false);
    clearTimeout(limit);
    if (!isLatest()) return;
    if (isDone) return stop();
    timer = setTimeout(() => void run(), PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
    failures += 1;
  };
  const stopListening = onPageResume(() => void run());
  void run();
  return stop;
}
