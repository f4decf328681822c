/** Identifies the content of a stem without downloading it, for the cache. */
import { createHash } from 'node:crypto';
import { fetchOutgoing } from '../../http/outgoing.ts';

/** First bytes of each part that count. A FLAC file has the checksum of its samples there. */
const PROBED_BYTES = 4096;
const TIMEOUT_MS = 5_000;

/** Reads the beginning of a file. Whoever may not read it gets no identity. */
async function probe(url: string, hash: ReturnType<typeof createHash>): Promise<boolean> {
  const headers = { range: `bytes=0-${PROBED_BYTES - 1}` };
  const response = await fetchOutgoing(new URL(url), { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const reader = response.body?.getReader();
  if (!response.ok || !reader) return false;
  const { origin, pathname } = new URL(url);
  const length = response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length');
  hash.update(JSON.stringify([origin, pathname, length, response.headers.get('etag')]));
  let left = PROBED_BYTES;
  while (left > 0) {
    const { value, done } = await reader.read();
    if (done) break;
    hash.update(value.subarray(0, left));
    left -= value.length;
  }
  await reader.cancel();
  return true;
}

/**
 * Returns a hash of where the parts of a stem are, without the signatures of their URLs, how long they are, and how they begin.
 * Undefined if a part cannot be read.
 * @param starts seconds at which the files of a stem in pieces start
 */
export async function stemIdentity(
  urls: readonly string[],
  starts: readonly (number | undefined)[] = [],
): Promise<string | undefined> {
  const hash = createHash('sha256').update(JSON.stringify(starts));
  try {
    for (const url of urls) if (!(await probe(url, hash))) return undefined;
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
