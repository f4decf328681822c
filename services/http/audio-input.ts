/** Downloads the audio of a request. Errors have the status of the response. */
import { RenewalError } from './fresh-upload.ts';
import { ServiceError } from './errors.ts';
import { AudioError } from '../../audio/errors.ts';
import { fetchAudio, FetchAudioError } from './fetch-audio.ts';

/** 4xx: a retry cannot succeed. 5xx: the source is not available now, and callers retry. */
const FETCH_STATUS: Record<FetchAudioError['fault'], number> = {
  url: 400,
  refused: 400,
  unavailable: 502,
  timeout: 504,
};

/**
 * Downloads `url`.
 * @throws ServiceError 400 if the source refuses it or it is too large, 502 or 504 if the source cannot be reached
 */
export async function loadAudio(
  url: string,
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await fetchAudio(url, { signal, timeoutMs });
  } catch (error) {
    throw asServiceError(error);
  }
}

/** Converts an AudioError or FetchAudioError to a ServiceError with status, code and hint. Returns other errors as they are. */
export function asServiceError(error: unknown): unknown {
  if (error instanceof AudioError || error instanceof FetchAudioError) {
    const status = error instanceof FetchAudioError ? FETCH_STATUS[error.fault] : 400;
    return new ServiceError(error.message, { status, code: error.code, hint: error.hint, cause: error });
  }
  // A repeated request has fresh URLs.
  if (error instanceof RenewalError)
    return new ServiceError(error.message, { status: 500, code: error.code, hint: error.hint, cause: error });
  return error;
}
