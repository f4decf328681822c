/** Downloads the files of stems. */
import { AudioError } from '../../../audio/errors.ts';
import { FetchAudioError, fetchAudio } from '../../http/fetch-audio.ts';
import { OriginRefusedError } from '../../http/outgoing.ts';
import { RenderError } from '../errors.ts';
import { retryConnection } from './retry-connection.ts';
import { MAX_STEM_BYTES, type NamedStem, unusableStem } from './stem-limits.ts';

const STEM_TIMEOUT_MS = 60_000;

/**
 * Downloads a file of a stem.
 * @throws RenderError stem_unavailable, storage_unavailable, stem_unusable; the reason of the signal when it fires
 */
export async function downloadPart(url: string, stem: NamedStem, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await retryConnection(
      () => fetchAudio(url, { maxBytes: MAX_STEM_BYTES, timeoutMs: STEM_TIMEOUT_MS, ...(signal && { signal }) }),
      (error) => !signal?.aborted && error instanceof FetchAudioError && error.status === null && error.fault !== 'url',
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw downloadError(stem, error);
  }
}

function downloadError({ song, stem }: NamedStem, error: unknown): RenderError {
  if (error instanceof AudioError) return unusableStem({ song, stem }, error);
  if (error instanceof FetchAudioError && (error.fault === 'unavailable' || error.fault === 'timeout')) {
    const message = `The ${stem} stem of "${song}" could not be downloaded: the storage is not available`;
    return new RenderError('storage_unavailable', message, error.hint, error);
  }
  if (error instanceof FetchAudioError && error.cause instanceof OriginRefusedError) {
    const message = `The ${stem} stem of "${song}" could not be downloaded: ${error.message}`;
    return new RenderError('stem_unavailable', message, error.hint, error);
  }
  return new RenderError(
    'stem_unavailable',
    `The ${stem} stem of "${song}" could not be downloaded`,
    'Render again with fresh signed URLs; separate the song again if the stem is gone.',
    error,
  );
}
