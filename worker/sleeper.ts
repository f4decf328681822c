/** A sleep that can be ended early. */

export interface Sleeper {
  /** Resolves after a time in milliseconds, or when `wake` is called. One sleep at a time. */
  sleep(ms: number): Promise<void>;
  /** Ends the current sleep, if there is one. */
  wake(): void;
}

/** Creates a sleeper. */
export function createSleeper(): Sleeper {
  let wake = (): void => {};
  return {
    sleep: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    wake: () => wake(),
  };
}
