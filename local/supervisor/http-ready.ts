const TIMEOUT_MS = 2_000;

/**
 * Tests whether a GET of a URL returns an accepted status.
 * @param accept default: only 200
 * @throws the connection error if nothing responds within two seconds
 */
export async function isHttpReady(
  url: string,
  accept: (status: number) => boolean = (status) => status === 200,
): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  return accept(response.status);
}
