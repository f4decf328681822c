/** A series of values over time, with the latest value, iteration in order, and an end. */

export interface Updates<T> {
  readonly latest: T | undefined;
  /** Resolves at the end with the latest value, or rejects with the failure that ended the series. */
  readonly finished: Promise<T | undefined>;
  push(value: T): void;
  close(failure?: Error): void;
  /** Starts with the latest value. `leave` is called when the reader stops. */
  iterate(leave: () => void): AsyncIterator<T>;
}

/** Opens an empty series. It keeps only the latest value and the values that open iterators have not read yet. */
export function openUpdates<T>(): Updates<T> {
  let latest: T | undefined;
  let closed = false;
  let resolve!: (value: T | undefined) => void;
  let reject!: (failure: Error) => void;
  // Promise.withResolvers is newer than the browsers that the package supports (ES2022).
  const finished = new Promise<T | undefined>((onEnd, onFailure) => {
    resolve = onEnd;
    reject = onFailure;
  });
  // Awaiting this is optional: iterators and listeners learn of the end themselves.
  finished.catch(() => {});
  const readers = new Set<{ waiting: T[]; wake: () => void }>();

  return {
    get latest() {
      return latest;
    },
    finished,
    push(value) {
      if (closed) return;
      latest = value;
      for (const reader of readers) {
        reader.waiting.push(value);
        reader.wake();
      }
    },
    close(failure) {
      if (closed) return;
      closed = true;
      if (failure === undefined) resolve(latest);
      else reject(failure);
      for (const reader of readers) reader.wake();
    },
    async *iterate(leave) {
      const reader = { waiting: latest === undefined ? [] : [latest], wake: () => {} };
      readers.add(reader);
      try {
        for (;;) {
          const value = reader.waiting.shift();
          if (value !== undefined) {
            yield value;
          } else if (closed) {
            await finished;
            return;
          } else {
            await new Promise<void>((resolveWait) => (reader.wake = resolveWait));
          }
        }
      } finally {
        readers.delete(reader);
        leave();
      }
    },
  };
}
