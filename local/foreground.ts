import { LocalStackError } from './errors.ts';
import { startStack } from './stack.ts';
import type { Stack, StartStackOptions } from './stack.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const EXIT_INTERRUPTED = 130;
/** Under npm one Ctrl-C arrives twice, from the terminal and from npm. Only a later signal counts as a second one. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs a stack until a signal ends it (Ctrl-C, SIGTERM, closed terminal), then stops it in order. A second signal exits at
 * once: the parts then exit by themselves, and Postgres keeps running until the next start takes it over.
 * @param onReady called when everything is ready; may use the stack while it runs
 * @throws the errors of `startStack`; a start that a signal interrupts resolves
 */
export async function runStack(
  options: Omit<StartStackOptions, 'signal'>,
  onReady: (stack: Stack) => void,
): Promise<void> {
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
    const stack = await startStack({ ...options, signal: interrupt.signal });
    onReady(stack);
    await interrupted;
    await stack.stop();
  } catch (error) {
    if (!(error instanceof LocalStackError && error.code === 'interrupted')) throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
