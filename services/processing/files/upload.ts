/** Uploads the finished mashup. */
import type { OutputFormat, UploadTarget } from '../../../schema.ts';
import { CONTENT_TYPES } from '../../../audio/encode/encode.ts';
import { freshUploadUrl, RenewalError } from '../../http/fresh-upload.ts';
import { RenderError } from '../errors.ts';
import { retryConnection } from './retry-connection.ts';

const UPLOAD_TIMEOUT_MS = 120_000;

/**
 * Uploads an encoded file with a PUT to a signed URL.
 * @throws RenderError upload_failed, storage_unavailable
 */
export async function uploadMashup(target: UploadTarget, bytes: Uint8Array, format: OutputFormat): Promise<void> {
  const uploadError = (message: string, options: { isDown: boolean; cause?: unknown }): RenderError =>
    options.isDown
      ? new RenderError(
          'storage_unavailable',
          message,
          'Check that the storage is running, then render again.',
          options.cause,
        )
      : new RenderError('upload_failed', message, 'Render again with a fresh signed upload URL.', options.cause);
  let response: Response;
  try {
    const url = await freshUploadUrl(target);
    const put = (): Promise<Response> =>
      fetch(url, {
        method: 'PUT',
        headers: { 'content-type': CONTENT_TYPES[format] },
        body: bytes as Uint8Array<ArrayBuffer>,
        signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
      });
    response = await retryConnection(put, (error) => error instanceof TypeError);
  } catch (cause) {
    if (cause instanceof RenewalError) throw new RenderError('upload_failed', cause.message, cause.hint, cause);
    throw uploadError('The mashup could not be uploaded: no connection', { isDown: true, cause });
  }
  await response.body?.cancel();
  if (!response.ok) {
    throw uploadError(`The mashup could not be uploaded: the storage returned ${response.status}`, {
      isDown: response.status >= 500 || response.status === 429,
    });
  }
}
