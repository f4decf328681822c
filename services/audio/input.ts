/** What a request says about its audio, as bytes; faults as errors that the HTTP scaffold answers with 400. */
import { ServiceError } from '../http.ts';
import { AudioError } from './errors.ts';
import { fetchAudio, FetchAudioError } from './fetch-audio.ts';

/**
 * Downloads `url`.
 * @throws ServiceError 400 if it cannot be had or is too large.
 */
export async function loadAudio(url: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await fetchAudio(url, { signal });
  } catch (error) {
    throw asServiceError(error);
  }
}

/** Errors of a song (400 with code and hint) in the form that the scaffold answers; anything else is left as it is. */
export function asServiceError(error: unknown): unknown {
  if (error instanceof AudioError || error instanceof FetchAudioError) {
    return new ServiceError(error.message, { status: 400, code: error.code, hint: error.hint, cause: error });
  }
  return error;
}
