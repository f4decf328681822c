/**
 * The desk on which songs are prepared: each is uploaded once, and a draft job analyses and scores them before any
 * mashup is asked for. Shared by all hooks, so that nothing is done twice.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import {
  deleteMashup,
  followJob,
  MashupClientError,
  onPageResume,
  submitMashup,
  uploadSong,
} from '@mashup-engine/client';
import type { JobFollower } from '@mashup-engine/client';
import type { MashupJob, PairScore, SongAnalysis, SubmittedSong } from '../../../schema.ts';
import { hearUploads } from '../upload-progress.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { SessionKeeper } from './session.ts';
import type { StudioSong } from './songs.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

/** Two files that are dropped together make one draft. */
const GATHER_MS = 300;
/** Faults of the network, which pass. */
const CUT_OFF: ReadonlySet<string> = new Set(['unreachable', 'upload_failed']);

export interface Upload {
  /** 0..1 */
  share: number;
  submitted?: SubmittedSong;
  problem?: Problem;
}

export interface DeskState {
  uploads: ReadonlyMap<string, Upload>;
  /** The draft that works on the songs now. */
  draft: MashupJob | undefined;
  analyses: Map<string, SongAnalysis>;
  scores: PairScore[];
  problem: Problem | undefined;
}

export interface SongDesk extends Store<DeskState> {
  /** Uploads a song, once. */
  upload(song: StudioSong): Promise<SubmittedSong>;
  /** Uploads a song whose upload has failed once more. */
  again(song: StudioSong): void;
  /** Says which songs lie on the desk; uploads what is new and has it analysed. */
  lay(songs: StudioSong[]): void;
  /** Clears the desk. Answers the draft of exactly these songs if it can be started; it is then the caller's. */
  takeDraft(songIds: string[]): Promise<string | undefined>;
}

export interface Material {
  analyses: Record<string, SongAnalysis> | null;
  scores: PairScore[] | null;
}

/** Analyses and pair scores of a job of the user. */
export async function readMaterial(supabase: SupabaseClient, jobId: string): Promise<Material> {
  const { data, error } = await supabase.rpc('get_mashup_analyses', { job_id: jobId });
  if (error) throw error;
  return data as Material;
}

export function openSongDesk(supabase: SupabaseClient, keeper: SessionKeeper): SongDesk {
  const store = createStore<DeskState>({
    uploads: new Map(),
    draft: undefined,
    analyses: new Map(),
    scores: [],
    problem: undefined,
  });
  const uploading = new Map<string, Promise<SubmittedSong>>();
  let laid: StudioSong[] = [];
  let follower: JobFollower | undefined;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let making: Promise<void> = Promise.resolve();
  let seenAnalyses = '';
  const cutOff = new Set<string>();

  const note = (id: string, change: Partial<Upload>): void => {
    const uploads = new Map(store.get().uploads);
    uploads.set(id, { share: 0, ...uploads.get(id), ...change });
    store.set({ uploads });
  };

  hearUploads(({ path, share }) => {
    const id = [...uploading.keys()].find((songId) => path.includes(`/${songId}/`));
    if (id !== undefined) note(id, { share });
  });

  const begin = async (song: StudioSong): Promise<SubmittedSong> => {
    note(song.id, { share: 0, problem: undefined });
    await keeper.ensure();
    const told = { name: song.name, artist: song.artist || undefined };
    const submitted =
      song.storage_path !== undefined
        ? { song_id: song.id, name: song.name, artist: song.artist || null, storage_path: song.storage_path }
        : song.file !== undefined
          ? await uploadSong(supabase, { fileName: song.file.name, body: song.file, songId: song.id, ...told })
          : undefined;
    if (submitted === undefined) throw new Error(`${song.name} has no file.`);
    note(song.id, { share: 1, submitted });
    return submitted;
  };

  const upload = (song: StudioSong): Promise<SubmittedSong> => {
    const known = uploading.get(song.id);
    if (known) return known;
    const promise = begin(song).catch((error: unknown) => {
      uploading.delete(song.id);
      if (error instanceof MashupClientError && CUT_OFF.has(error.code)) cutOff.add(song.id);
      note(song.id, { problem: toProblem(error) });
      throw error;
    });
    uploading.set(song.id, promise);
    cutOff.delete(song.id);
    return promise;
  };

  const again = (song: StudioSong): void => void upload(song).then(gather, gather);

  const dropDraft = (): void => {
    follower?.stop();
    follower = undefined;
    const { draft } = store.get();
    store.set({ draft: undefined, scores: [] });
    if (draft !== undefined) deleteMashup(supabase, draft.id).catch(() => {});
  };

  const learn = async (job: MashupJob): Promise<void> => {
    const known = `${job.id} ${job.stage} ${job.songs.map((song) => song.analysis_id ?? '-').join()}`;
    if (known === seenAnalyses) return;
    seenAnalyses = known;
    if (!job.songs.some((song) => song.analysis_id !== undefined)) return;
    const material = await readMaterial(supabase, job.id).catch(() => undefined);
    if (material === undefined) {
      seenAnalyses = '';
      return;
    }
    const analyses = new Map(store.get().analyses);
    for (const [id, analysis] of Object.entries(material.analyses ?? {})) analyses.set(id, analysis);
    store.set({ analyses, ...(store.get().draft?.id === job.id ? { scores: material.scores ?? [] } : {}) });
  };

  const isWorking = (draft: MashupJob | undefined): boolean =>
    draft !== undefined && ['queued', 'analyzing'].includes(draft.stage) && draft.status === 'processing';

  const follow = (jobId: string): void => {
    follower = followJob(supabase, jobId, {
      onChange: (draft) => {
        store.set({ draft });
        void learn(draft);
        // Songs that came meanwhile have waited for this.
        if (!isWorking(draft)) gather();
      },
    });
  };

  const sameSongs = (draft: MashupJob | undefined, ids: string[]): boolean =>
    draft !== undefined &&
    draft.songs
      .map((song) => song.song_id)
      .sort()
      .join() === [...ids].sort().join();

  const makeDraft = async (): Promise<void> => {
    if (laid.some((song) => uploadIsOpen(song.id))) return;
    const songs = laid.flatMap((song) => store.get().uploads.get(song.id)?.submitted ?? []);
    const ids = songs.map((song) => song.song_id);
    const { draft } = store.get();
    if (songs.length === 0) return dropDraft();
    if (sameSongs(draft, ids)) return;
    // A draft that analyses is left to finish, unless none of its songs is wanted any more.
    if (isWorking(draft) && draft?.songs.some((card) => ids.includes(card.song_id))) return;
    dropDraft();
    store.set({ problem: undefined });
    try {
      const { jobId } = await submitMashup(supabase, songs, { hold: 'planning' });
      // The row is read at once: until it is known, nobody can take the draft or drop it.
      const { data } = await supabase.from('mashup_jobs').select('*').eq('id', jobId).single<MashupJob>();
      if (data !== null) store.set({ draft: data });
      follow(jobId);
    } catch (error) {
      store.set({ problem: toProblem(error) });
    }
  };

  const uploadIsOpen = (id: string): boolean => {
    const known = store.get().uploads.get(id);
    return known !== undefined && known.submitted === undefined && known.problem === undefined;
  };

  /** One draft at a time; what is wished meanwhile comes after it. */
  const makeNext = (): Promise<void> => (making = making.then(makeDraft));

  function gather(): void {
    clearTimeout(gathering);
    gathering = setTimeout(() => void makeNext(), GATHER_MS);
  }

  // What the network cut off is done when it is back.
  onPageResume(() => {
    for (const song of laid) if (cutOff.has(song.id)) again(song);
    if (store.get().problem !== undefined) gather();
  });

  return {
    ...store,
    upload,
    again,
    lay(songs) {
      laid = songs;
      for (const song of songs) {
        const known = store.get().uploads.get(song.id);
        if (known?.submitted === undefined && known?.problem === undefined) again(song);
      }
      gather();
    },
    async takeDraft(songIds) {
      clearTimeout(gathering);
      laid = [];
      await making;
      const { draft } = store.get();
      if (draft?.status !== 'processing' || draft.hold === null || !sameSongs(draft, songIds)) {
        dropDraft();
        return undefined;
      }
      follower?.stop();
      follower = undefined;
      store.set({ draft: undefined, scores: [] });
      return draft.id;
    },
  };
}
