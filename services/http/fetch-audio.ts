/** Songs over HTTP: bounded in time and size, and silent about the secrets in a URL. */
import { AudioError } from '../../audio/errors.ts';
import { MAX_FILE_BYTES } from '../../audio/decode/decode.ts';

/** A download that takes longer than this is given up. */
export const FETCH_TIMEOUT_MS = 30_000;

/** Why there is no file: the URL is none, its source refuses it for good, is not to be had just now, or was too slow. */
type FetchFault = 'url' | 'refused' | 'unavailable' | 'timeout';

const HINTS: Record<FetchFault, string> = {
  url: 'Send an http or https URL.',
  refused: 'Check that the URL is right and has not expired.',
  unavailable: 'Check that the source of the file runs and is reachable from the service, then try again.',
  timeout: 'Try again; if this lasts, check the connection between the service and the source of the file.',
};

/** Answers of a source that say `later`, although they are 4xx. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/** The audio could not be fetched. `status` is the answer's, or null where there was none. Never carries a query string. */
export class FetchAudioError extends Error {
  readonly code = 'fetch_failed';
  readonly fault: FetchFault;
  readonly status: number | null;
  readonly hint: string;

  constructor(fault: FetchFault, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'FetchAudioError';
    this.fault = fault;
    this.status = options.status ?? null;
    this.hint = HINTS[fault];
  }
}

/** `url` without query, fragment, user and password: what may be shown of a signed URL. */
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
 * Downloads a file into a buffer of its own, which may be transferred to a thread.
 * @throws FetchAudioError if it cannot be had, AudioError audio_too_large beyond `maxBytes`, the signal's reason if aborted.
 */
export async function fetchAudio(
  url: string,
  options: { signal?: AbortSignal; maxBytes?: number; timeoutMs?: number } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, maxBytes = MAX_FILE_BYTES, timeoutMs = FETCH_TIMEOUT_MS } = options;
  const target = parseHttpUrl(url);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(target, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    if (!response.ok) {
      const { status } = response;
      await response.body?.cancel();
      const fault = status >= 400 && status < 500 && !LATER.has(status) ? 'refused' : 'unavailable';
      throw new FetchAudioError(fault, `Fetching ${redactUrl(target)} was answered with ${status}.`, { status });
    }
    return await readBounded(response, maxBytes);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (error instanceof FetchAudioError || error instanceof AudioError) throw error;
    const fault = timeout.aborted ? 'timeout' : 'unavailable';
    const reason = timeout.aborted
      ? `took longer than ${timeoutMs / 1000} s`
      : 'failed: the connection broke or never was';
    throw new FetchAudioError(fault, `Fetching ${redactUrl(target)} ${reason}.`, { cause: error });
  }
}

async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): AudioError =>
    new AudioError('audio_too_large', `The file is larger than ${Math.round(maxBytes / 2 ** 20)} MB.`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > maxBytes) throw tooLarge();
    pieces.push(piece);
  }
  const file = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    file.set(piece, offset);
    offset += piece.length;
  }
  return file;
}
