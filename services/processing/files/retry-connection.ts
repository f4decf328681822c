/** Network calls from threads that compute for seconds at a time. */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Tries of a call that gets no answer at all. */
const TRIES = 3;
const WAIT_MS = 200;

/**
 * Makes a call, again where there was no connection. While a thread computes it does not see that the other side has
 * closed an idle connection; a turn of its event loop first lets it see that, and a new try takes a new connection.
 */
export async function reconnecting<T>(call: () => Promise<T>, hadNoAnswer: (error: unknown) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await setImmediate();
    try {
      return await call();
    } catch (error) {
      if (attempt === TRIES || !hadNoAnswer(error)) throw error;
      await setTimeout(WAIT_MS * attempt);
    }
  }
}
