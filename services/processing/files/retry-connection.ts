/** Network calls from threads that compute for seconds at a time. */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Attempts of a call that gets no response. */
const ATTEMPTS = 3;
/** Delay before the second attempt; it grows by the same amount with each further attempt. */
const DELAY_MS = 200;

/**
 * Makes a call, and repeats it if it got no response. A thread that computes does not notice that the other side has closed an
 * idle connection. One turn of its event loop before the call lets it notice, and a repeated call opens a new connection.
 * @param hadNoResponse whether an error means that no response arrived; other errors are thrown at once
 */
export async function retryConnection<T>(
  call: () => Promise<T>,
  hadNoResponse: (error: unknown) => boolean,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await setImmediate();
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS || !hadNoResponse(error)) throw error;
      await setTimeout(DELAY_MS * attempt);
    }
  }
}
