import { LocalStackError } from './errors.ts';
import { startStack } from './stack.ts';
import type { Stack, StartStackOptions } from './stack.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const EXIT_INTERRUPTED = 130;
/** Under npm one Ctrl-C arrives twice, from the terminal and from npm: only a later signal is a second one. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs a stack until the process is told to end (Ctrl-C, SIGTERM, closed terminal), then stops it in order. A second
 * signal ends the process at once; its parts see that and end as well, Postgres stays for the next start to take over.
 * @param onReady called when everything is up; may use the stack for as long as it runs
 * @throws what `startStack` throws; a start that a signal interrupts resolves
 */
export async function runStack(
  options: Omit<StartStackOptions, 'signal'>,
  onReady: (stack: Stack) => void,
): Promise<void> {
  const interrupt = new AbortController();
  const told = new Promise<void>((resolve) => interrupt.signal.addEventListener('abort', () => resolve()));
  let firstAt = 0;
  const onSignal = (): void => {
    if (!interrupt.signal.aborted) firstAt = performance.now();
    else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(EXIT_INTERRUPTED);
    interrupt.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const stack = await startStack({ ...options, signal: interrupt.signal });
    onReady(stack);
    await told;
    await stack.stop();
  } catch (error) {
    if (!(error instanceof LocalStackError && error.code === 'interrupted')) throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
