import { setTimeout as delay } from 'node:timers/promises';

const TIMEOUT_MS = 15_000;
const POLL_MS = 10;

/**
 * Waits until a condition holds.
 * @param what names the condition in the error
 * @throws after 15 seconds
 */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting until ${what}`);
    await delay(POLL_MS);
  }
}
