/** Uploads of the selected songs: each song is uploaded once, and its progress is shown. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { MashupClientError, uploadSong } from '@mashup-engine/client';
import type { SubmittedSong } from '@mashup-engine/client';
import { onUploadProgress } from '../upload-progress.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { SessionStore } from './session.ts';
import type { StudioSong } from './songs.ts';
import type { Store } from './store.ts';

/** Errors of the network. The upload is repeated when the connection is back. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set(['unreachable', 'upload_failed']);

/** The state of one song's upload. */
export interface Upload {
  /** Uploaded share of the file, 0..1. */
  share: number;
  /** The song as it is submitted; set when the upload is complete. */
  submitted?: SubmittedSong;
  problem?: Problem;
}

export interface UploadState {
  /** By song id. */
  uploads: ReadonlyMap<string, Upload>;
}

export interface Uploader {
  /** Uploads a song. A second call returns the same upload, unless that failed. */
  upload(song: StudioSong): Promise<SubmittedSong>;
  /** Whether the upload of a song has neither finished nor failed. */
  isUploading(songId: string): boolean;
  /** Whether a network error ended the last upload of a song. */
  wasInterrupted(songId: string): boolean;
}

/** Creates the uploader, which keeps its state in `store`. */
export function createUploader(
  supabase: SupabaseClient,
  sessionStore: SessionStore,
  store: Store<UploadState>,
): Uploader {
  const uploads = new Map<string, Promise<SubmittedSong>>();
  const interrupted = new Set<string>();

  const change = (id: string, changes: Partial<Upload>): void => {
    const changed = new Map(store.get().uploads);
    changed.set(id, { share: 0, ...changed.get(id), ...changes });
    store.set({ uploads: changed });
  };

  onUploadProgress(({ path, share }) => {
    const id = [...uploads.keys()].find((songId) => path.includes(`/${songId}/`));
    if (id !== undefined) change(id, { share });
  });

  const start = async (song: StudioSong): Promise<SubmittedSong> => {
    change(song.id, { share: 0, problem: undefined });
    await sessionStore.ensure();
    const submitted = await storeSong(supabase, song);
    change(song.id, { share: 1, submitted });
    return submitted;
  };

  return {
    upload(song) {
      const known = uploads.get(song.id);
      if (known) return known;
      const promise = start(song).catch((error: unknown) => {
        uploads.delete(song.id);
        if (error instanceof MashupClientError && NETWORK_ERRORS.has(error.code)) interrupted.add(song.id);
        change(song.id, { problem: toProblem(error) });
        throw error;
      });
      uploads.set(song.id, promise);
      interrupted.delete(song.id);
      return promise;
    },
    isUploading(songId) {
      const known = store.get().uploads.get(songId);
      return known !== undefined && known.submitted === undefined && known.problem === undefined;
    },
    wasInterrupted: (songId) => interrupted.has(songId),
  };
}

/** Uploads the file of a song; a song that is in Storage already is returned as it is submitted. */
async function storeSong(supabase: SupabaseClient, song: StudioSong): Promise<SubmittedSong> {
  if (song.storage_path !== undefined) {
    return { songId: song.id, name: song.name, artist: song.artist || null, storagePath: song.storage_path };
  }
  if (song.file === undefined) throw new Error(`${song.name} has no file.`);
  return uploadSong(supabase, {
    fileName: song.file.name,
    body: song.file,
    songId: song.id,
    name: song.name,
    artist: song.artist || undefined,
  });
}
