/** Stops work by a signal: Ctrl-C, SIGTERM, or a closed terminal. */

/** Exit code of a process that was interrupted. */
export const EXIT_INTERRUPTED = 130;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Under npm one Ctrl-C arrives twice, from the terminal and from npm. Only a later signal counts as a second one. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Calls `work` with a signal that aborts when the process is told to stop, and with a promise of that. A second signal ends the
 * process at once.
 */
export async function untilInterrupted<T>(
  work: (signal: AbortSignal, interrupted: Promise<void>) => Promise<T>,
): Promise<T> {
  const interrupt = new AbortController();
  const interrupted = new Promise<void>((resolve) => interrupt.signal.addEventListener('abort', () => resolve()));
  let firstAt = 0;
  const onSignal = (): void => {
    if (!interrupt.signal.aborted) firstAt = performance.now();
    else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(EXIT_INTERRUPTED);
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(interrupt.signal, interrupted);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
