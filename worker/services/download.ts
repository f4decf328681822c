/** Downloads from Storage, and the typed errors of Storage. */
import { StorageApiError } from '@supabase/supabase-js';
import { TaskError } from '../errors.ts';
import { errorText } from '../redact.ts';

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
 * Returns the typed error of a failed Storage operation: permanent `upload_missing` for a missing object, otherwise transient
 * `storage_unavailable`, which does not count as a failure of a service.
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
  return new TaskError(`Storage could not ${operation}: ${errorText(cause)}`, {
    code: 'storage_unavailable',
    hint: 'It is retried automatically. If this lasts, check SUPABASE_URL and the service role key.',
    faultClass: 'transient',
    cause,
  });
}
