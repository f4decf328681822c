/** The current mashup of the page: started here or opened by its id, and followed until it ends and through replays. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { deleteMashup, followJob, startMashup, submitMashup } from '@mashup-engine/client';
import type { JobFollower, MashupJob, MashupOptions, PlayableAudio } from '@mashup-engine/client';
import { MAX_SONGS, MIN_SONGS } from '../../../schema/constants.ts';
import { toProblem } from './problem.ts';
import type { Problem } from './problem.ts';
import type { SessionStore } from './session.ts';
import type { SongSelection } from './song-selection.ts';
import type { StudioSong } from './songs.ts';
import { createStore } from './store.ts';
import type { Store } from './store.ts';

export interface GeneratorState {
  /** Id of the followed job. */
  jobId: string | undefined;
  /** Its row; undefined until it has been read. */
  job: MashupJob | undefined;
  /** The parts that can be played before the job is complete. They stay when an attempt fails, until the next one has some. */
  playable: PlayableAudio | undefined;
  /** Ids of the jobs that were started in this page. */
  startedIds: readonly string[];
  /** Whether changes arrive over Realtime. */
  isLive: boolean;
  /** Whether songs are being uploaded or submitted. */
  isSubmitting: boolean;
  problem: Problem | undefined;
}

export interface Generator extends Store<GeneratorState> {
  /**
   * Starts the draft of these songs if there is one, else submits them. Returns the job's id; undefined if it failed. A call while one
   * is under way joins that one.
   */
  make(songs: StudioSong[], options?: MashupOptions): Promise<string | undefined>;
  /** Follows a job by its id; undefined stops following. */
  open(jobId: string | undefined): void;
}

const NO_JOB = {
  jobId: undefined,
  job: undefined,
  playable: undefined,
  isLive: false,
  isSubmitting: false,
  problem: undefined,
};

const TOO_FEW_SONGS: Problem = {
  message: `A mashup needs at least ${MIN_SONGS} songs.`,
  hint: 'Add another song.',
};
const TOO_MANY_SONGS: Problem = {
  message: `A mashup has at most ${MAX_SONGS} songs.`,
  hint: 'Remove some songs.',
};

/** The parts of a job: those of its row, or until it ends those that an attempt of the same run left. */
function playableOf(job: MashupJob, known: Pick<GeneratorState, 'job' | 'playable'>): PlayableAudio | undefined {
  if (job.playable !== null) return job.playable;
  return job.status !== 'complete' && job.epoch === known.job?.epoch ? known.playable : undefined;
}

/** Calls while one is under way join that one, as the second press of a double click. */
function oneAtATime<Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>): typeof call {
  let current: Promise<Result> | undefined;
  return (...args) =>
    (current ??= call(...args).finally(() => {
      current = undefined;
    }));
}

/** Creates the store of the current mashup. It takes drafts from `selection`. */
export function createGenerator(
  supabase: SupabaseClient,
  sessionStore: SessionStore,
  selection: SongSelection,
): Generator {
  const store = createStore<GeneratorState>({ ...NO_JOB, startedIds: [] });
  let follower: JobFollower | undefined;

  const open = (jobId: string | undefined): void => {
    if (jobId === store.get().jobId) return;
    follower?.stop();
    store.set({ ...NO_JOB, jobId });
    if (jobId === undefined) return;
    const newFollower = followJob(supabase, jobId, {
      keepOpen: true,
      onChange: (job) => store.set({ job, playable: playableOf(job, store.get()) }),
      onLive: (isLive) => store.set({ isLive }),
    });
    follower = newFollower;
    newFollower.finished.catch((error: unknown) => {
      if (follower === newFollower) store.set({ problem: toProblem(error) });
    });
  };

  return {
    ...store,
    open,
    make: oneAtATime(async (songs: StudioSong[], options: MashupOptions = {}) => {
      if (songs.length < MIN_SONGS || songs.length > MAX_SONGS) {
        store.set({ problem: songs.length < MIN_SONGS ? TOO_FEW_SONGS : TOO_MANY_SONGS });
        return undefined;
      }
      store.set({ isSubmitting: true, problem: undefined });
      let draftId: string | undefined;
      try {
        await sessionStore.ensure();
        const uploads = await Promise.all(songs.map((song) => selection.upload(song)));
        draftId = await selection.takeDraft(songs.map((song) => song.id));
        const jobId =
          draftId !== undefined
            ? (await startMashup(supabase, draftId, options)).jobId
            : (await submitMashup(supabase, uploads, options)).jobId;
        store.set({ startedIds: [...store.get().startedIds, jobId] });
        open(jobId);
        return jobId;
      } catch (error) {
        if (draftId !== undefined) deleteMashup(supabase, draftId).catch(() => {});
        selection.select(songs);
        store.set({ problem: toProblem(error) });
        return undefined;
      } finally {
        store.set({ isSubmitting: false });
      }
    }),
  };
}
