/** Stops work by a signal: Ctrl-C, SIGTERM, or a closed terminal. */

/** Exit code of a process that was interrupted. */
export const EXIT_INTERRUPTED = 130;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Under npm one Ctrl-C arrives twice, from the terminal and from npm. Only a later signal counts as a second one. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Calls `work` with a signal that aborts when the process is told to stop, and with a promise of that. A second signal ends the
 * process at once.
 * @param intercept is called first; true means that the signal was for something else, such as sound that plays
 */
export async function untilInterrupted<T>(
  work: (signal: AbortSignal, interrupted: Promise<void>) => Promise<T>,
  intercept: () => boolean = () => false,
): Promise<T> {
  const interrupt = new AbortController();
  const interrupted = new Promise<void>((resolve) => interrupt.signal.addEventListener('abort', () => resolve()));
  let handledAt = -Infinity;
  const onSignal = (): void => {
    if (performance.now() - handledAt <= SAME_SIGNAL_MS) return;
    handledAt = performance.now();
    if (intercept()) return;
    if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(interrupt.signal, interrupted);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
