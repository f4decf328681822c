/** The draft job, which analyses and scores the selected songs before a mashup is requested. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { deleteMashup, followJob, submitMashup, toMashupJob } from '@mashup-engine/client';
import type { JobFollower, MashupJob, SubmittedSong } from '@mashup-engine/client';
import { createAnalysisReader } from './analyses.ts';
import type { AnalysisState } from './analyses.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { Store } from './store.ts';

export interface DraftState extends AnalysisState {
  /** Who decides whether wishes are understood; undefined until the engine said it. */
  wishesReadBy: 'rules' | 'planner' | undefined;
  problem: Problem | undefined;
}

export interface Draft {
  /** Replaces the draft if it does not have exactly these songs. A draft that is analysing some of them finishes first. */
  update(songs: SubmittedSong[]): Promise<void>;
  /** Replaces a failed draft by another one: a retry would run to the end, since a job that failed waits for nobody. */
  retry(): void;
  /** Returns the id of the draft if it has exactly these songs and can be started, and forgets it; else deletes it. */
  take(songIds: string[]): string | undefined;
}

/** Creates the draft, which keeps its state in `store`. `onIdle` is called when the draft has finished analysing. */
export function createDraft(supabase: SupabaseClient, store: Store<DraftState>, onIdle: () => void): Draft {
  const readNewAnalyses = createAnalysisReader(supabase, store);
  let follower: JobFollower | undefined;

  const forget = (): void => {
    follower?.stop();
    follower = undefined;
    store.set({ draft: undefined, scores: [] });
  };
  const discard = (): void => {
    const { draft } = store.get();
    forget();
    if (draft !== undefined) deleteMashup(supabase, draft.id).catch(() => {});
  };
  const follow = (jobId: string): JobFollower =>
    followJob(supabase, jobId, {
      onChange: (draft) => {
        store.set({ draft });
        void readNewAnalyses(draft);
        if (!isAnalyzing(draft)) onIdle();
      },
    });
  const submit = async (songs: SubmittedSong[]): Promise<void> => {
    store.set({ problem: undefined });
    try {
      const { jobId, wishesReadBy } = await submitMashup(supabase, songs, { hold: 'planning' });
      store.set({ wishesReadBy });
      // The row is read at once: until it is known, the draft can be neither taken nor deleted.
      const { data } = await supabase.from('mashup_jobs').select('*').eq('id', jobId).single<object>();
      if (data !== null) store.set({ draft: toMashupJob(data) });
      follower = follow(jobId);
    } catch (error) {
      store.set({ problem: toProblem(error) });
    }
  };

  return {
    async update(songs) {
      const ids = songs.map((song) => song.songId);
      const { draft } = store.get();
      if (ids.length === 0) return discard();
      if (hasSongs(draft, ids)) return;
      if (isAnalyzing(draft) && draft?.songs.some((song) => ids.includes(song.songId))) return;
      discard();
      await submit(songs);
    },
    retry: () => store.get().draft?.status === 'failed' && (discard(), onIdle()),
    take(songIds) {
      const { draft } = store.get();
      if (draft?.status !== 'processing' || draft.hold === null || !hasSongs(draft, songIds)) {
        discard();
        return undefined;
      }
      forget();
      return draft.id;
    },
  };
}

function isAnalyzing(draft: MashupJob | undefined): boolean {
  return draft !== undefined && ['queued', 'analyzing'].includes(draft.stage) && draft.status === 'processing';
}

function hasSongs(draft: MashupJob | undefined, ids: string[]): boolean {
  const own = draft?.songs.map((song) => song.songId);
  return own !== undefined && own.sort().join() === [...ids].sort().join();
}
