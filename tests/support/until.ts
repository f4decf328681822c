import { setTimeout as delay } from 'node:timers/promises';

const TIMEOUT_MS = 25_000;
const POLL_MS = 10;

/**
 * Waits until a condition holds.
 * @param what names the condition in the error
 * @throws after `timeoutMs`, 25 seconds by default
 */
export async function until(
  what: string | (() => string | Promise<string>),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const text = typeof what === 'string' ? what : await what();
      throw new Error(`timed out after ${timeoutMs / 1000} s waiting until ${text}`);
    }
    await delay(POLL_MS);
  }
}
