/** The mashup that the page is about: started here, or found by its id; followed until it ends and on through replays. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { deleteMashup, followJob, startMashup, submitMashup } from '@mashup-engine/client';
import type { JobFollower } from '@mashup-engine/client';
import type { MashupJob, SubmittedOptions } from '../../../schema.ts';
import { MAX_SONGS, MIN_SONGS } from '../../../schema/constants.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { SessionKeeper } from './session.ts';
import type { SongDesk } from './song-selection.ts';
import type { StudioSong } from './songs.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

export interface GeneratorState {
  jobId: string | undefined;
  job: MashupJob | undefined;
  /** Whether changes arrive as they happen. */
  isLive: boolean;
  /** Between the wish and the job. */
  isSubmitting: boolean;
  problem: Problem | undefined;
}

export interface Generator extends Store<GeneratorState> {
  /** Makes a mashup; the draft of the same songs is started where there is one. Answers the job's id, or undefined. */
  make(songs: StudioSong[], options?: SubmittedOptions): Promise<string | undefined>;
  /** Follows a job by its id; undefined lets go of it. */
  open(jobId: string | undefined): void;
}

const NOTHING = { jobId: undefined, job: undefined, isLive: false, isSubmitting: false, problem: undefined };

export function openGenerator(supabase: SupabaseClient, keeper: SessionKeeper, desk: SongDesk): Generator {
  const store = createStore<GeneratorState>(NOTHING);
  let follower: JobFollower | undefined;

  const open = (jobId: string | undefined): void => {
    if (jobId === store.get().jobId) return;
    follower?.stop();
    store.set({ ...NOTHING, jobId });
    if (jobId === undefined) return;
    const mine = followJob(supabase, jobId, {
      keepOpen: true,
      onChange: (job) => store.set({ job }),
      onLive: (isLive) => store.set({ isLive }),
    });
    follower = mine;
    mine.finished.catch((error: unknown) => {
      if (follower === mine) store.set({ problem: toProblem(error) });
    });
  };

  return {
    ...store,
    open,
    async make(songs, options = {}) {
      if (songs.length < MIN_SONGS || songs.length > MAX_SONGS) {
        const message = songs.length < MIN_SONGS ? 'A mashup needs at least two songs.' : 'A mashup takes three songs.';
        store.set({ problem: { message, hint: songs.length < MIN_SONGS ? 'Add another song.' : 'Leave some out.' } });
        return undefined;
      }
      store.set({ isSubmitting: true, problem: undefined });
      let draftId: string | undefined;
      try {
        await keeper.ensure();
        const uploads = await Promise.all(songs.map((song) => desk.upload(song)));
        draftId = await desk.takeDraft(songs.map((song) => song.id));
        const jobId =
          draftId !== undefined
            ? (await startMashup(supabase, draftId, options)).job_id
            : (await submitMashup(supabase, uploads, options)).jobId;
        open(jobId);
        return jobId;
      } catch (error) {
        if (draftId !== undefined) deleteMashup(supabase, draftId).catch(() => {});
        desk.lay(songs);
        store.set({ problem: toProblem(error) });
        return undefined;
      } finally {
        store.set({ isSubmitting: false });
      }
    },
  };
}
