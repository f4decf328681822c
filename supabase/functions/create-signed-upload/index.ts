/** A place for a song: a signed upload URL below the caller's own folder, made with the caller's rights. */
import { z } from 'zod';
import { BUCKET, SignedUploadRequest, SongId, UPLOAD_EXTENSIONS, UPLOAD_MAX_BYTES } from '../../../schema/api.ts';
import type { SignedUploadAnswer } from '../../../schema/api.ts';
import { faultsOf, readJson } from '../_shared/body.ts';
import { requireUser } from '../_shared/caller.ts';
import { answer, ApiError, serve } from '../_shared/http.ts';
import { callFunction } from '../_shared/rpc.ts';

const FAILURE = 'Failed to create signed upload';
/** A name longer than this is cut before its extension. */
const MAX_NAME_LENGTH = 100;

serve({ failure: FAILURE }, async (request) => {
  const { supabase, userId } = await requireUser(request);
  const upload = parseRequest(await readJson(request));
  const path = `uploads/${userId}/${upload.songId}/${safeName(upload.fileName)}`;
  await callFunction(supabase, 'begin_upload', {}, z.unknown(), FAILURE);
  const { data, error } = await supabase.storage.from(BUCKET).createSignedUploadUrl(path, { upsert: true });
  if (error) {
    console.error(FAILURE, error.message);
    throw new ApiError(503, 'storage_unreachable', FAILURE, {
      hint: 'Try again in a few seconds.',
      details: 'Storage did not give an upload URL.',
      retryAfterSec: 5,
      cause: error,
    });
  }
  const body: SignedUploadAnswer = { path: data.path, signedUrl: data.signedUrl, token: data.token };
  return answer(body);
});

/** Checks in the contract's order, with its texts. */
function parseRequest(body: unknown): SignedUploadRequest {
  const { songId, fileName, fileSize, contentType } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
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
    throw refusal(413, 'audio_too_large', 'File too large (max 50MB)', 'Convert the song to MP3 or FLAC, or cut it.');
  }
  if (fileSize === 0) throw refusal(400, 'audio_empty', 'The file is empty', 'Choose another file.');
  if (typeof contentType === 'string' && contentType !== '' && !contentType.startsWith('audio/')) {
    throw refusal(400, 'invalid_content_type', 'Invalid content type', 'Send a type that begins with audio/.');
  }
  const parsed = SignedUploadRequest.safeParse({ songId, fileName, fileSize, contentType });
  if (parsed.success) return parsed.data;
  throw refusal(400, 'invalid_request', 'Invalid request body', faultsOf(parsed.error));
}

/** White space to `_`, then letters, digits, `-`, `_` and `.` only. A name in another alphabet loses all its letters. */
function safeName(fileName: string): string {
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
