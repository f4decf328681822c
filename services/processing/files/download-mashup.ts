/** Downloads a finished mashup. */
import { AudioError } from '../../../audio/errors.ts';
import { FetchAudioError, fetchAudio } from '../../http/fetch-audio.ts';
import { RenderError } from '../errors.ts';
import { retryConnection } from './retry-connection.ts';
import { MAX_STEM_BYTES } from './stem-limits.ts';

const TIMEOUT_MS = 60_000;

/**
 * Downloads the file of a mashup.
 * @throws RenderError mashup_unavailable, storage_unavailable; the reason of the signal when it fires
 */
export async function downloadMashup(url: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await retryConnection(
      () => fetchAudio(url, { maxBytes: MAX_STEM_BYTES, timeoutMs: TIMEOUT_MS, signal }),
      (error) => !signal.aborted && error instanceof FetchAudioError && error.status === null && error.fault !== 'url',
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FetchAudioError) && !(error instanceof AudioError)) throw error;
    const isOutage = error instanceof FetchAudioError && (error.fault === 'unavailable' || error.fault === 'timeout');
    const reason = isOutage ? ': the storage is not available' : '';
    throw new RenderError(
      isOutage ? 'storage_unavailable' : 'mashup_unavailable',
      `The mashup could not be downloaded${reason}`,
      isOutage ? error.hint : 'Render again with a fresh signed URL.',
      error,
    );
  }
}
