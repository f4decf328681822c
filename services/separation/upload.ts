/** Uploads files to signed URLs. */
import type { Blob } from 'node:buffer';
import { openAsBlob } from 'node:fs';
import { redactUrl } from '../http/fetch-audio.ts';
import { ServiceError } from '../http/errors.ts';
import { fetchOutgoing, OriginRefusedError } from '../http/outgoing.ts';

/** Time limit of the upload of one stem. */
export const UPLOAD_TIMEOUT_MS = 120_000;

/**
 * Uploads the file at `path` to `url` with PUT, without loading it into memory.
 * @throws ServiceError 400 if the URL is not allowed or is rejected (it may have expired), 502 if the storage fails or cannot be reached
 */
export async function putFile(path: string, url: string, contentType: string, signal: AbortSignal): Promise<void> {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (!target || (target.protocol !== 'http:' && target.protocol !== 'https:')) {
    throw new ServiceError('An upload URL is not an http or https URL.', { status: 400, code: 'upload_failed' });
  }
  const timeout = AbortSignal.timeout(UPLOAD_TIMEOUT_MS);
  let status: number;
  try {
    const response = await fetchOutgoing(target, {
      method: 'PUT',
      headers: { 'content-type': contentType },
      body: (await openAsBlob(path, { type: contentType })) as Blob,
      signal: AbortSignal.any([signal, timeout]),
    });
    await response.body?.cancel();
    if (response.ok) return;
    status = response.status;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof OriginRefusedError) {
      throw new ServiceError(cause.message, { status: 400, code: cause.code, hint: cause.hint, cause });
    }
    const reason = timeout.aborted ? `took longer than ${UPLOAD_TIMEOUT_MS / 1000} s` : 'failed: no connection';
    throw new ServiceError(`The upload to ${redactUrl(target)} ${reason}.`, {
      status: 502,
      code: 'upload_failed',
      cause,
    });
  }
  throw new ServiceError(`The upload to ${redactUrl(target)} failed with status ${status}.`, {
    status: status >= 500 ? 502 : 400,
    code: 'upload_failed',
    hint: 'Upload URLs must be fresh and allow PUT.',
  });
}
