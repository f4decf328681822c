/** Uploads the finished mashup. */
import type { OutputFormat, UploadTarget } from '../../../schema.ts';
import { CONTENT_TYPES } from '../../../audio/encode/encode.ts';
import { freshUploadUrl, RenewalError } from '../../http/fresh-upload.ts';
import { putObject, UploadError } from '../../http/put-object.ts';
import { RenderError } from '../errors.ts';
import type { RenderErrorCode } from '../errors.ts';
import { retryConnection } from './retry-connection.ts';

const UPLOAD_TIMEOUT_MS = 120_000;

const CODES: Record<UploadError['fault'], RenderErrorCode> = {
  url: 'upload_failed',
  not_allowed: 'upload_failed',
  too_large: 'upload_too_large',
  expired: 'upload_failed',
  refused: 'upload_failed',
  no_answer: 'storage_unavailable',
  unavailable: 'storage_unavailable',
};

/**
 * Uploads an encoded file with a PUT to a signed URL.
 * @throws RenderError upload_failed, upload_too_large, storage_unavailable; the reason of the signal if it is aborted
 */
export async function uploadMashup(
  target: UploadTarget,
  bytes: Uint8Array<ArrayBuffer>,
  format: OutputFormat,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const put = async (): Promise<void> =>
    putObject({
      title: 'mashup',
      url: await freshUploadUrl(target, signal),
      body: bytes,
      contentType: CONTENT_TYPES[format],
      signal,
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
  try {
    await retryConnection(put, (error) => error instanceof UploadError && error.cause instanceof TypeError);
  } catch (error) {
    if (error instanceof RenewalError) throw new RenderError('upload_failed', error.message, error.hint, error);
    if (error instanceof UploadError) throw new RenderError(CODES[error.fault], error.message, error.hint, error);
    throw error;
  }
}
