/**
 * The selected songs: each is uploaded once, and a draft job analyses and scores them before a mashup is requested. All
 * hooks share one selection, so that nothing is uploaded or analysed twice.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { onPageResume } from '@mashup-engine/client';
import type { SubmittedSong } from '@mashup-engine/client';
import { createDraft } from './draft.ts';
import type { DraftState } from './draft.ts';
import type { SessionStore } from './session.ts';
import type { StudioSong } from './songs.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';
import { createUploader } from './uploads.ts';
import type { UploadState } from './uploads.ts';

/** Delay before a draft is made, so that two files dropped together make one draft. */
const DRAFT_DELAY_MS = 300;

export interface SongSelectionState extends UploadState, DraftState {}

export interface SongSelection extends Store<SongSelectionState> {
  /** Uploads a song, once. */
  upload(song: StudioSong): Promise<SubmittedSong>;
  /** Repeats the failed upload of a selected song, or the analysis that failed for a service. */
  retry(song: StudioSong): void;
  /** Sets the selected songs. New songs are uploaded and analysed. */
  select(songs: StudioSong[]): void;
  /** Clears the selection. Returns the id of the draft of exactly these songs if it can be started; the caller owns it then. */
  takeDraft(songIds: string[]): Promise<string | undefined>;
}

/** Creates an empty selection. */
export function createSongSelection(supabase: SupabaseClient, sessionStore: SessionStore): SongSelection {
  const store = createStore<SongSelectionState>({
    uploads: new Map(),
    draft: undefined,
    analyses: new Map(),
    scores: [],
    problem: undefined,
    wishesReadBy: undefined,
  });
  const uploader = createUploader(supabase, sessionStore, store);
  const draft = createDraft(supabase, store, () => scheduleDraft());
  let selected: StudioSong[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Drafts are updated one after the other. */
  let updating: Promise<void> = Promise.resolve();

  const updateDraft = async (): Promise<void> => {
    if (selected.some((song) => uploader.isUploading(song.id))) return;
    await draft.update(selected.flatMap((song) => store.get().uploads.get(song.id)?.submitted ?? []));
  };
  const scheduleDraft = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => (updating = updating.then(updateDraft)), DRAFT_DELAY_MS);
  };
  const retryUpload = (song: StudioSong): void => void uploader.upload(song).then(scheduleDraft, scheduleDraft);

  // What a lost connection or a missing session interrupted is repeated when it is there.
  const resume = (): void => {
    for (const song of selected) if (uploader.wasInterrupted(song.id)) retryUpload(song);
    if (store.get().problem !== undefined) scheduleDraft();
  };
  onPageResume(resume);
  let wasSignedIn = false;
  sessionStore.subscribe(() => {
    const isSignedIn = Boolean(sessionStore.get().session);
    if (isSignedIn && !wasSignedIn) resume();
    wasSignedIn = isSignedIn;
  });

  return {
    ...store,
    upload: uploader.upload,
    retry: (song) => (store.get().uploads.get(song.id)?.problem ? retryUpload(song) : draft.retry()),
    select(songs) {
      selected = songs;
      for (const song of songs) {
        const known = store.get().uploads.get(song.id);
        if (known?.submitted === undefined && known?.problem === undefined) retryUpload(song);
      }
      scheduleDraft();
    },
    async takeDraft(songIds) {
      clearTimeout(timer);
      selected = [];
      await updating;
      return draft.take(songIds);
    },
  };
}
