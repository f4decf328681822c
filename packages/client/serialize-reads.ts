/** Runs reads of the same row one at a time, with a time limit and further attempts. */

/** Limit of one read. A connection that is lost without an error would otherwise block every later read. */
const READ_TIMEOUT_MS = 10_000;
/** Delays before a failed read is repeated; the last one repeats. */
const RETRY_DELAYS_MS = [250, 500, 1_000, 2_000, 5_000];

export interface Reads {
  /** Requests a read. A request during a read causes one more read after it, however many requests there were. */
  request(): void;
  /** As `request`, but aborts a running read: what it returns, or the connection that it waits for, is outdated. */
  restart(): void;
  /** Aborts the running read and ends the attempts. */
  stop(): void;
}

/**
 * Returns reads that run one at a time.
 * @param read resolves to whether it succeeded; a failed read is repeated after a delay. The signal aborts at the time limit
 */
export function serializeReads(read: (signal: AbortSignal) => Promise<boolean>): Reads {
  let running: AbortController | undefined;
  let isRequestedAgain = false;
  let isStopped = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    const controller = new AbortController();
    running = controller;
    const limit = setTimeout(() => controller.abort(), READ_TIMEOUT_MS);
    const isDone = await read(controller.signal).catch(() => false);
    clearTimeout(limit);
    running = undefined;
    if (isStopped) return;
    if (isRequestedAgain) {
      isRequestedAgain = false;
      return run();
    }
    if (isDone) failures = 0;
    else timer = setTimeout(() => void run(), RETRY_DELAYS_MS[Math.min(failures++, RETRY_DELAYS_MS.length - 1)]);
  };
  const request = (): void => {
    if (isStopped) return;
    if (running === undefined) void run();
    else isRequestedAgain = true;
  };
  return {
    request,
    restart: () => {
      failures = 0;
      const outdated = running;
      request();
      outdated?.abort();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      running?.abort();
    },
  };
}
