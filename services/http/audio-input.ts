/** What a request says about its audio, as bytes; faults as errors with the status that the HTTP scaffold answers. */
import { ServiceError } from './errors.ts';
import { AudioError } from '../../audio/errors.ts';
import { fetchAudio, FetchAudioError } from './fetch-audio.ts';

/** 4xx says that no further try can help; a source that is away is a bad gateway, so that callers try again. */
const FETCH_STATUS: Record<FetchAudioError['fault'], number> = {
  url: 400,
  refused: 400,
  unavailable: 502,
  timeout: 504,
};

/**
 * Downloads `url`.
 * @throws ServiceError 400 if it is refused or too large, 502 or 504 if its source could not be reached.
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

/** Errors of a song, with status, code and hint, in the form that the scaffold answers; anything else is left as it is. */
export function asServiceError(error: unknown): unknown {
  if (error instanceof AudioError || error instanceof FetchAudioError) {
    const status = error instanceof FetchAudioError ? FETCH_STATUS[error.fault] : 400;
    return new ServiceError(error.message, { status, code: error.code, hint: error.hint, cause: error });
  }
  return error;
}
