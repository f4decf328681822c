/** Downloads from Storage, and the typed errors of Storage. */
import { StorageApiError } from '@supabase/supabase-js';
import type { FaultClass } from '../errors.ts';
import { TaskError } from '../errors.ts';
import { errorText } from '../redact.ts';

/** What to do about a key that Storage refuses. */
export const KEY_HINT =
  'Set SUPABASE_SECRET_KEY (or SUPABASE_SERVICE_ROLE_KEY) to a current key of the project of SUPABASE_URL, and restart the workers.';
/** Error bodies are truncated to this length. */
const MAX_ERROR_CHARS = 2_000;

/**
 * Starts a download from a signed URL.
 * @throws TaskError as {@link storageFault}; the reason of `signal` when it aborts
 */
export async function openDownload(
  url: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<AsyncIterable<Uint8Array>> {
  try {
    const response = await fetch(url, { signal, headers });
    if (response.ok && response.body) return response.body;
    const body = (await response.text()).slice(0, MAX_ERROR_CHARS);
    throw storageFault('download a file', new Error(`${response.status} ${body}`), response.status);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof TaskError ? error : storageFault('download a file', error);
  }
}

/**
 * Returns the typed error of a failed Storage operation: permanent `upload_missing` for a missing object, `storage_key_rejected`
 * for a key that Storage refuses, `storage_unavailable` where Storage does not answer, is overloaded or fails, which counts in
 * the circuit breaker of Storage, and transient `storage_failed` for any other answer.
 * @param operation what failed: `list files`
 */
export function storageFault(operation: string, cause: unknown, status?: number): TaskError {
  const isMissing =
    (cause instanceof StorageApiError && cause.statusCode === '404') ||
    (status !== undefined && status >= 400 && status < 500 && /not_found|NoSuchKey/.test(String(cause)));
  if (isMissing) {
    return new TaskError('The file is no longer in Storage.', {
      code: 'upload_missing',
      hint: 'Upload the song again.',
      faultClass: 'permanent',
      cause,
    });
  }
  const answered = statusOf(cause, status);
  if (isKeyRefused(cause, answered)) return keyRejected(cause);
  const faultClass = classOfStorageStatus(answered);
  return new TaskError(`Storage could not ${operation}: ${errorText(cause)}`, {
    code: faultClass === 'transient' ? 'storage_failed' : 'storage_unavailable',
    hint: 'It is retried automatically. If this lasts, check that Storage runs and that SUPABASE_URL is right.',
    faultClass,
    service: 'storage',
    spendsAttempt: faultClass === 'transient',
    cause,
  });
}

/** Returns the error for a key that Storage refuses. The circuit of Storage opens at once: no task can do anything with this key. */
function keyRejected(cause: unknown): TaskError {
  return new TaskError(`Storage refuses the key of the worker: ${errorText(cause)}`, {
    code: 'storage_key_rejected',
    hint: KEY_HINT,
    faultClass: 'refused',
    service: 'storage',
    spendsAttempt: false,
    cause,
  });
}

/** Status of the answer: Storage sends most errors as 400 with the real status in the body. Undefined without an answer. */
function statusOf(cause: unknown, status: number | undefined): number | undefined {
  if (!(cause instanceof StorageApiError)) return status;
  const inBody = Number(cause.statusCode);
  return inBody >= 400 ? inBody : cause.status;
}

/** A signed URL carries its own token, so that only a call of the API, not a download, says something about the key. */
function isKeyRefused(cause: unknown, status: number | undefined): boolean {
  return cause instanceof StorageApiError && (status === 401 || status === 403);
}

function classOfStorageStatus(status: number | undefined): FaultClass {
  if (status === 429) return 'overloaded';
  return status === undefined || status === 408 || status >= 500 ? 'unavailable' : 'transient';
}
