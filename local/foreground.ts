import { LocalStackError } from './errors.ts';
import { untilInterrupted } from './interrupt.ts';
import { startStack } from './stack.ts';
import type { Stack, StartStackOptions } from './stack.ts';

/**
 * Runs a stack until a signal ends it (Ctrl-C, SIGTERM, closed terminal), then stops it in order. A second signal exits at
 * once: the parts then exit by themselves, and Postgres keeps running until the next start takes it over.
 * @param onReady called when everything is ready; may use the stack while it runs
 * @throws the errors of `startStack`; a start that a signal interrupts resolves
 */
export async function runStack(
  options: Omit<StartStackOptions, 'signal'>,
  onReady: (stack: Stack) => void | Promise<void>,
): Promise<void> {
  await untilInterrupted(async (signal, interrupted) => {
    try {
      const stack = await startStack({ ...options, signal });
      await onReady(stack);
      await interrupted;
      await stack.stop();
    } catch (error) {
      if (!(error instanceof LocalStackError && error.code === 'interrupted')) throw error;
    }
  });
}
