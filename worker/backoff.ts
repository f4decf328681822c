/** Delays between the attempts of a connection. */

export interface Backoff {
  /** Returns the next delay in milliseconds: twice the one before, less up to half of it, so that workers spread. */
  next(): number;
  /** Starts again with the shortest delay. */
  reset(): void;
}

/** Creates a back-off between two limits in milliseconds. */
export function createBackoff(minMs: number, maxMs: number): Backoff {
  let delay = minMs;
  return {
    next() {
      const current = delay;
      delay = Math.min(delay * 2, maxMs);
      return current * (0.5 + Math.random() / 2);
    },
    reset: () => (delay = minMs),
  };
}
