/** Checks the body of create-signed-upload, and makes a safe file name. */
import { SignedUploadRequest, SongId, UPLOAD_EXTENSIONS, UPLOAD_MAX_BYTES } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { describeIssues, membersOf } from '../_shared/validation.ts';

/** A longer name is cut before its extension. */
const MAX_NAME_LENGTH = 100;

/**
 * Checks in the order of the contract, with its texts.
 * @throws ApiError 400 or 413
 */
export function parseRequest(body: unknown): SignedUploadRequest {
  const { songId, fileName, fileSize, contentType, stem } = membersOf(body);
  if (typeof songId !== 'string' || typeof fileName !== 'string' || songId === '' || fileName === '') {
    throw refusal(400, 'invalid_request', 'songId and fileName are required', 'Send both as text.');
  }
  if (!SongId.safeParse(songId).success) {
    throw refusal(400, 'invalid_song_id', 'Invalid songId format', 'Use 1 to 64 letters, digits, - and _.');
  }
  const extension = extensionOf(fileName.trim());
  if (!UPLOAD_EXTENSIONS.some((known) => known === extension)) {
    throw refusal(400, 'unsupported_file_type', 'Unsupported file type', `Upload ${UPLOAD_EXTENSIONS.join(', ')}.`);
  }
  if (typeof fileSize === 'number' && fileSize > UPLOAD_MAX_BYTES) {
    throw refusal(
      413,
      'audio_too_large',
      'File too large (max 50MB)',
      'Convert the song to MP3 or FLAC, or shorten it.',
    );
  }
  if (fileSize === 0) throw refusal(400, 'audio_empty', 'The file is empty', 'Choose another file.');
  if (typeof contentType === 'string' && contentType !== '' && !contentType.startsWith('audio/')) {
    throw refusal(400, 'invalid_content_type', 'Invalid content type', 'Send a type that begins with audio/.');
  }
  const parsed = SignedUploadRequest.safeParse({ songId, fileName, fileSize, contentType, stem });
  if (parsed.success) return parsed.data;
  throw refusal(400, 'invalid_request', 'Invalid request body', describeIssues(parsed.error));
}

/** White space becomes `_`; then only letters, digits, `-`, `_` and `.` are kept. A name in another alphabet becomes `song`. */
export function safeName(fileName: string): string {
  const name = fileName.replace(/\s+/g, '_').replace(/[^a-zA-Z0-9\-_.]/g, '');
  const extension = extensionOf(name);
  const stem = name.slice(0, name.length - extension.length - 1).replace(/^\.+|\.+$/g, '');
  return `${stem.slice(0, MAX_NAME_LENGTH) || 'song'}.${extension}`;
}

function extensionOf(name: string): string {
  return /\.([a-zA-Z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

function refusal(status: number, code: string, error: string, hint: string): ApiError {
  return new ApiError(status, code, error, { hint });
}
