/** Downloads songs over HTTP, with limits of time and size. Errors do not contain the query string of the URL. */
import type { Response } from 'undici';
import { AudioError } from '../../audio/errors.ts';
import { MAX_FILE_BYTES } from '../../audio/decode/decode.ts';
import { fetchOutgoing, OriginRefusedError } from './outgoing.ts';

/** Time limit of a download. */
export const FETCH_TIMEOUT_MS = 30_000;

/** Faults of a download: URL invalid or not allowed, permanently refused by the source, source not available, timeout. */
type FetchFault = 'url' | 'refused' | 'unavailable' | 'timeout';

const HINTS: Record<FetchFault, string> = {
  url: 'Send an http or https URL.',
  refused: 'Check that the URL is correct and has not expired.',
  unavailable: 'Check that the source of the file is running and can be reached from the service, then try again.',
  timeout: 'Try again; if this lasts, check the connection between the service and the source of the file.',
};

/** 4xx statuses after which a retry can succeed. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429]);

/** A failed download. `status` is the status of the response, or null if there was none. Contains no query string. */
export class FetchAudioError extends Error {
  /** `fetch_failed`, or the code of an {@link OriginRefusedError}. */
  readonly code: string;
  readonly fault: FetchFault;
  readonly status: number | null;
  readonly hint: string;

  constructor(fault: FetchFault, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'FetchAudioError';
    const { cause } = options;
    this.code = cause instanceof OriginRefusedError ? cause.code : 'fetch_failed';
    this.fault = fault;
    this.status = options.status ?? null;
    this.hint = cause instanceof OriginRefusedError ? cause.hint : HINTS[fault];
  }
}

/** Returns a URL without query, fragment, user and password, so that a signed URL can be shown. */
export function redactUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function parseHttpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new FetchAudioError('url', 'The audio URL is not an http or https URL.');
  }
  return url;
}

/**
 * Downloads a file into a buffer of its own, which can be transferred to a thread. `maxBytes` holds for the file after any
 * decompression by HTTP.
 * @throws FetchAudioError if the download fails, AudioError `audio_too_large` above `maxBytes`, the signal's reason if
 *   aborted
 */
export async function fetchAudio(
  url: string,
  options: { signal?: AbortSignal; maxBytes?: number; timeoutMs?: number } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, maxBytes = MAX_FILE_BYTES, timeoutMs = FETCH_TIMEOUT_MS } = options;
  const target = parseHttpUrl(url);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetchOutgoing(target, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    if (!response.ok) {
      const { status } = response;
      await response.body?.cancel();
      const fault = status >= 400 && status < 500 && !RETRYABLE.has(status) ? 'refused' : 'unavailable';
      throw new FetchAudioError(fault, `Fetching ${redactUrl(target)} returned status ${status}.`, { status });
    }
    return await readBounded(response, maxBytes);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof FetchAudioError || error instanceof AudioError) throw error;
    if (error instanceof OriginRefusedError) throw new FetchAudioError('url', error.message, { cause: error });
    const fault = timeout.aborted ? 'timeout' : 'unavailable';
    const reason = timeout.aborted
      ? `took longer than ${timeoutMs / 1000} s`
      : 'failed: there was no connection, or it broke';
    throw new FetchAudioError(fault, `Fetching ${redactUrl(target)} ${reason}.`, { cause: error });
  }
}

/** Reads a response of at most `maxBytes` bytes. */
async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): AudioError =>
    new AudioError('audio_too_large', `The file is larger than ${Math.round(maxBytes / 2 ** 20)} MB.`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  // A file of the declared length needs no second copy. A body that was compressed is longer.
  let file = new Uint8Array(Math.min(maxBytes, Number(response.headers.get('content-length') ?? 0)));
  let length = 0;
  for await (const piece of response.body ?? []) {
    if (length + piece.length > maxBytes) throw tooLarge();
    if (length + piece.length > file.length) {
      const longer = new Uint8Array(Math.min(maxBytes, Math.max(2 * file.length, length + piece.length)));
      longer.set(file.subarray(0, length));
      file = longer;
    }
    file.set(piece, length);
    length += piece.length;
  }
  return length === file.length ? file : file.slice(0, length);
}
