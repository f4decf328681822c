/** Uploads the files of stems to signed URLs. */
import type { Blob } from 'node:buffer';
import { openAsBlob } from 'node:fs';
import type { UploadTarget } from '../../schema.ts';
import { ServiceError } from '../http/errors.ts';
import { freshUploadUrl } from '../http/fresh-upload.ts';
import { putObject, UploadError } from '../http/put-object.ts';

/** Time limit of the upload of one file. */
const UPLOAD_TIMEOUT_MS = 120_000;

/**
 * Uploads the file at `path` with PUT, without loading it into memory.
 * @param title what the file is called in messages, such as `drums stem`
 * @throws ServiceError 413 `upload_too_large`, 400 if the URL is rejected, 500 `upload_url_expired`, 502 if Storage fails or
 *   cannot be reached
 */
export async function putFile(path: string, target: UploadTarget, title: string, signal: AbortSignal): Promise<void> {
  const contentType = path.endsWith('.flac') ? 'audio/flac' : 'audio/wav';
  try {
    const body = (await openAsBlob(path, { type: contentType })) as Blob;
    const url = await freshUploadUrl(target, signal);
    await putObject({ title, url, body, contentType, signal, timeoutMs: UPLOAD_TIMEOUT_MS });
  } catch (error) {
    throw error instanceof UploadError ? toServiceError(error) : error;
  }
}

function toServiceError(error: UploadError): ServiceError {
  const { message, hint } = error;
  switch (error.fault) {
    case 'too_large':
      return new ServiceError(message, { status: 413, code: 'upload_too_large', hint, cause: error });
    // A retry, with fresh URLs, can succeed.
    case 'expired':
      return new ServiceError(message, { status: 500, code: 'upload_url_expired', hint, cause: error });
    case 'not_allowed':
    case 'url':
    case 'refused':
      return new ServiceError(message, { status: 400, code: 'upload_failed', hint, cause: error });
    case 'no_answer':
    case 'unavailable':
      return new ServiceError(message, { status: 502, code: 'upload_failed', hint, cause: error });
  }
}
