/** A song's way into Storage. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema/constants.ts';
import type { SignedUploadAnswer, SubmittedSong } from '../../schema/api.ts';
import { invoke } from './calls.ts';
import type { CallOptions } from './calls.ts';
import { MashupClientError } from './errors.ts';

export interface SongFile {
  /** File name with its extension. */
  fileName: string;
  /** A `File` or `Blob`; streams and typed arrays do not survive the way through supabase-js. */
  body: Blob;
  /** Default: the Blob's own type. */
  contentType?: string;
  /** Default: the file name without its extension. */
  name?: string;
  artist?: string;
  /** Default: a fresh UUID. */
  songId?: string;
}

/**
 * Uploads a song and answers it in the form that `submitMashup` takes. The user has to be signed in.
 * @throws MashupClientError e.g. `unsupported_file_type`, `audio_too_large`, `sign_in_required`
 */
export async function uploadSong(
  supabase: SupabaseClient,
  file: SongFile,
  options: CallOptions = {},
): Promise<SubmittedSong> {
  const songId = file.songId ?? crypto.randomUUID();
  const contentType = file.contentType ?? file.body.type;
  const place = await invoke<SignedUploadAnswer>(
    supabase,
    'create-signed-upload',
    {
      songId,
      fileName: file.fileName,
      fileSize: file.body.size,
      // Browsers call an .ogg `video/ogg` or nothing at all; the content decides anyway.
      ...(contentType.startsWith('audio/') ? { contentType } : {}),
    },
    options,
  );
  options.signal?.throwIfAborted();
  const { error } = await supabase.storage
    .from(BUCKET)
    .uploadToSignedUrl(place.path, place.token, file.body, contentType === '' ? {} : { contentType });
  if (error) {
    throw new MashupClientError('upload_failed', `${file.fileName} could not be uploaded.`, {
      hint: 'Check the connection, then try again.',
      details: error.message,
      cause: error,
    });
  }
  return {
    song_id: songId,
    name: file.name ?? file.fileName.replace(/\.[^.]+$/, ''),
    artist: file.artist ?? null,
    storage_path: place.path,
  };
}
