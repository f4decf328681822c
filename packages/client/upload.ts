/** Uploads songs, and stems of one's own, to Storage. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema/constants.ts';
import type { SignedUploadAnswer } from '../../schema/api.ts';
import { invoke } from './calls.ts';
import type { CallOptions } from './calls.ts';
import { MashupClientError } from './errors.ts';
import type { OwnStem, SubmittedSong } from './types.ts';

export interface SongFile {
  /** File name with its extension. */
  fileName: string;
  /** A `File` or `Blob`; supabase-js does not upload streams and typed arrays unchanged. */
  body: Blob;
  /** Default: the type of the Blob. */
  contentType?: string;
  /** Default: the file name without its extension. */
  name?: string;
  artist?: string;
  /** Default: a fresh UUID. */
  songId?: string;
}

/** A file of one stem, as `uploadStem` takes it. */
export interface StemFile extends Pick<SongFile, 'fileName' | 'body' | 'contentType'> {
  /** The song that the stem belongs to. */
  songId: string;
  stem: OwnStem;
}

/**
 * Uploads a song. Returns it in the form that `submitMashup` takes. The user must be signed in.
 * @throws MashupClientError e.g. `unsupported_file_type`, `audio_too_large`, `upload_too_large`, `sign_in_required`
 */
export async function uploadSong(
  supabase: SupabaseClient,
  file: SongFile,
  options: CallOptions = {},
): Promise<SubmittedSong & { storagePath: string }> {
  const songId = file.songId ?? crypto.randomUUID();
  const storagePath = await store(supabase, { ...file, songId }, options);
  return { songId, name: file.name ?? file.fileName.replace(/\.[^.]+$/, ''), artist: file.artist ?? null, storagePath };
}

/**
 * Uploads a stem of one's own. Returns its path, a value of `stems` of a song that `submitMashup` takes. The user must be signed in.
 * @throws MashupClientError as `uploadSong`
 */
export function uploadStem(supabase: SupabaseClient, file: StemFile, options: CallOptions = {}): Promise<string> {
  return store(supabase, file, options);
}

/** Uploads a file. Returns its path. */
async function store(
  supabase: SupabaseClient,
  file: Omit<StemFile, 'stem'> & { stem?: OwnStem },
  options: CallOptions,
): Promise<string> {
  const contentType = file.contentType ?? file.body.type;
  const target = await invoke<SignedUploadAnswer>(
    supabase,
    'create-signed-upload',
    {
      songId: file.songId,
      fileName: file.fileName,
      fileSize: file.body.size,
      stem: file.stem,
      // Browsers give .ogg files the type `video/ogg` or none. The server detects the type from the content.
      ...(contentType.startsWith('audio/') ? { contentType } : {}),
    },
    options,
  );
  options.signal?.throwIfAborted();
  const { error } = await supabase.storage
    .from(BUCKET)
    .uploadToSignedUrl(target.path, target.token, file.body, contentType === '' ? {} : { contentType });
  if (error && isTooLarge(error)) {
    throw new MashupClientError('upload_too_large', `${file.fileName} is larger than the project's Storage accepts.`, {
      hint: 'Convert the song to MP3 or FLAC, or cut it.',
      details: error.message,
      cause: error,
    });
  }
  if (error) {
    throw new MashupClientError('upload_failed', `${file.fileName} could not be uploaded.`, {
      hint: 'Check the connection, then try again.',
      details: error.message,
      cause: error,
    });
  }
  return target.path;
}

/** Whether Storage refused a file for its size. It sends most errors as status 400, with the real status in the body. */
function isTooLarge(error: Error): boolean {
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
  return status === 413 || statusCode === '413';
}
