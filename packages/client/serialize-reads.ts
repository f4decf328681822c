/** Runs reads of the same row one at a time. */

/**
 * Returns a function that requests a read. A request during a read causes one more read after it, however many requests there
 * were.
 * @param isWanted whether further reads are still wanted
 */
export function serializeReads(read: () => Promise<void>, isWanted: () => boolean): () => void {
  let isReading = false;
  let isRequestedAgain = false;
  const request = (): void => {
    if (isReading) {
      isRequestedAgain = true;
      return;
    }
    isReading = true;
    void read().finally(() => {
      isReading = false;
      if (!isRequestedAgain || !isWanted()) return;
      isRequestedAgain = false;
      request();
    });
  };
  return request;
}
