/** Uploads of the selected songs: each song is uploaded once, and its progress is shown. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { MashupClientError, uploadSong, uploadStem } from '@mashup-engine/client';
import { browserAudio } from '../audio/browser-audio.ts';
import { needsConversion, prepareUpload } from '../audio/prepare-upload.ts';
import type { PreparedFile } from '../audio/prepare-upload.ts';
import type { OwnStems, SubmittedSong } from '@mashup-engine/client';
import { onUploadProgress } from '../upload-progress.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { SessionStore } from './session.ts';
import type { StudioSong } from './songs.ts';
import type { Store } from './store.ts';

/** Errors after which the upload is repeated: those of the network when it is back, a missing session after the sign-in. */
const INTERRUPTIONS: ReadonlySet<string> = new Set(['unreachable', 'upload_failed', 'sign_in_required']);

/** The state of one song's upload. */
export interface Upload {
  /** Uploaded share of the file, 0..1. */
  share: number;
  /** Whether the browser is converting the file before its upload. */
  isConverting?: boolean;
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
  /** Whether the last upload of a song failed for lack of a network or a session. */
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
    const submitted = await storeSong(supabase, song, (isConverting) => change(song.id, { isConverting }));
    change(song.id, { share: 1, submitted });
    return submitted;
  };

  return {
    upload(song) {
      const known = uploads.get(song.id);
      if (known) return known;
      const promise = start(song).catch((error: unknown) => {
        uploads.delete(song.id);
        if (error instanceof MashupClientError && INTERRUPTIONS.has(error.code)) interrupted.add(song.id);
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

/**
 * Uploads the file of a song, and the stems that were chosen for it; a song that is in Storage already is returned as it is submitted.
 * @param onConverting is called before and after a conversion of the file
 */
async function storeSong(
  supabase: SupabaseClient,
  song: StudioSong,
  onConverting: (isConverting: boolean) => void,
): Promise<SubmittedSong> {
  const { id, name, artist, file, storage_path: storagePath } = song;
  const stems = await storeStems(supabase, song, onConverting);
  if (storagePath !== undefined) return { songId: id, name, artist: artist || null, storagePath, ...stems };
  if (file === undefined) throw new Error(`${name} has no file.`);
  const prepared = await prepare(file, onConverting);
  return { ...(await uploadSong(supabase, { ...prepared, songId: id, name, artist: artist || undefined })), ...stems };
}

/** Uploads the stems that were chosen for a song. Those that are in Storage already stay there. */
async function storeStems(
  supabase: SupabaseClient,
  { id, own_stems: chosen = [] }: StudioSong,
  onConverting: (isConverting: boolean) => void,
): Promise<Pick<SubmittedSong, 'stems'>> {
  if (chosen.length === 0) return {};
  const stems: OwnStems = {};
  for (const { stem, file, storage_path: path } of chosen) {
    if (path !== undefined) stems[stem] = path;
    else if (file !== undefined)
      stems[stem] = await uploadStem(supabase, { ...(await prepare(file, onConverting)), songId: id, stem });
  }
  return { stems };
}

async function prepare(file: File, onConverting: (isConverting: boolean) => void): Promise<PreparedFile> {
  if (!(await needsConversion(file))) return { fileName: file.name, body: file };
  onConverting(true);
  return prepareUpload(file, browserAudio).finally(() => onConverting(false));
}
