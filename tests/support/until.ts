import { setTimeout as delay } from 'node:timers/promises';

const TIMEOUT_MS = 25_000;
const POLL_MS = 10;

/**
 * Waits until a condition holds.
 * @param what names the condition in the error
 * @param timeoutMs the time between looks at the condition is counted: a busy machine, where each look takes long, has more time
 * @throws after `timeoutMs`, 25 seconds by default
 */
export async function until(
  what: string | (() => string | Promise<string>),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  let waitedMs = 0;
  while (!(await condition())) {
    if (waitedMs >= timeoutMs) {
      const text = typeof what === 'string' ? what : await what();
      throw new Error(`timed out after ${timeoutMs / 1000} s waiting until ${text}`);
    }
    await delay(POLL_MS);
    waitedMs += POLL_MS;
  }
}
