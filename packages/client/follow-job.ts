/**
 * Follows one job live, without polling: any frontend, on supabase-js alone.
 *
 * The row is the truth and `version` its order. Realtime tells of changes sooner; snapshots make sure that none is
 * missed: one at once, one when the stream is really ready, one when the connection or the screen comes back, and a
 * slow one all along.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { MashupJob } from '../../schema/job.ts';
import { fromDatabaseError, MashupClientError } from './errors.ts';
import { joinJobChannel } from './job-channel.ts';
import type { JobChannel } from './job-channel.ts';
import { openUpdates } from './updates.ts';
import { onPageResume } from './page-resume.ts';

/** How often the row is read although nothing was heard, in milliseconds. */
const SAFETY_READ_MS = 30_000;
/** Pauses before the channel is joined again; the last one repeats. */
const REJOIN_PAUSES_MS = [250, 500, 1_000, 2_000, 5_000, 10_000];
const TABLE = 'mashup_jobs';

export interface FollowOptions {
  /** Told of each state of the row, in order, each once. */
  onChange?: (job: MashupJob) => void;
  /** Told when the live stream comes and goes: what is shown in between may be seconds old. */
  onLive?: (isLive: boolean) => void;
  /** Ends the following. */
  signal?: AbortSignal;
  /** Goes on after the job has ended, to show a replay. */
  keepOpen?: boolean;
  /** Default 30 seconds. */
  safetyReadMs?: number;
}

export interface JobFollower extends AsyncIterable<MashupJob> {
  /** The newest state that is known. */
  readonly current: MashupJob | undefined;
  /**
   * Resolves when the following ends, with the last state: the job's end, or whatever was known when it was stopped.
   * Rejects with MashupClientError `job_not_found` or `sign_in_required`.
   */
  readonly finished: Promise<MashupJob | undefined>;
  /** Ends the following; safe to call twice. */
  stop(): void;
}

/**
 * Follows a job of the signed-in user: through `onChange`, `for await`, or both. An iterator begins with the newest
 * state. Replays are shown as they happen, also backwards.
 */
export function followJob(supabase: SupabaseClient, jobId: string, options: FollowOptions = {}): JobFollower {
  const updates = openUpdates<MashupJob>();
  let channel: JobChannel | undefined;
  let stopped = false;
  let attempt = 0;
  let rejoinTimer: ReturnType<typeof setTimeout> | undefined;
  let reading: Promise<void> | undefined;
  let readAgain = false;

  const apply = (job: MashupJob): void => {
    const known = updates.latest;
    if (stopped || (known !== undefined && job.version <= known.version)) return;
    updates.push(job);
    options.onChange?.(job);
    if (job.status !== 'processing' && !options.keepOpen) end();
  };

  /** One read at a time; a wish that comes meanwhile is honoured by one more. */
  const snapshot = (): Promise<void> => {
    if (reading !== undefined) {
      readAgain = true;
      return reading;
    }
    reading = read().finally(() => {
      reading = undefined;
      if (readAgain && !stopped) {
        readAgain = false;
        void snapshot();
      }
    });
    return reading;
  };

  const read = async (): Promise<void> => {
    const { data, error, status } = await supabase.from(TABLE).select('*').eq('id', jobId).maybeSingle<MashupJob>();
    if (stopped) return;
    if (error) {
      const failure = fromDatabaseError(error, status);
      // Anything else may pass; the next read tells.
      if (failure.code === 'sign_in_required' && !(await hasSession(supabase))) end(failure);
      else if (status === 400) end(failure);
    } else if (data === null) {
      end(
        new MashupClientError('job_not_found', `There is no mashup ${jobId}.`, {
          hint: 'Open one of your own mashups, signed in as the user who made it.',
          status: 404,
        }),
      );
    } else {
      apply(data);
    }
  };

  const join = async (): Promise<void> => {
    rejoinTimer = undefined;
    const joined = await joinJobChannel(supabase, TABLE, jobId, {
      isWanted: () => !stopped,
      ready: () => {
        attempt = 0;
        options.onLive?.(true);
        void snapshot();
      },
      changed: (row) => (row === undefined ? void snapshot() : apply(row as MashupJob)),
      lost: () => {
        channel = undefined;
        options.onLive?.(false);
        rejoinLater();
      },
    });
    if (stopped) joined?.leave();
    else channel = joined;
  };

  const rejoinLater = (): void => {
    if (stopped || rejoinTimer !== undefined) return;
    const pause = REJOIN_PAUSES_MS[Math.min(attempt, REJOIN_PAUSES_MS.length - 1)] ?? 0;
    attempt += 1;
    rejoinTimer = setTimeout(() => {
      // While nothing is heard, each attempt at least looks.
      void snapshot();
      void join();
    }, pause);
  };

  /** Screen or network are back: what happened meanwhile was not heard, and a pause has no use any more. */
  const wake = (): void => {
    if (stopped) return;
    void snapshot();
    attempt = 0;
    if (rejoinTimer !== undefined) {
      clearTimeout(rejoinTimer);
      void join();
    }
  };

  const safetyTimer = setInterval(() => void snapshot(), options.safetyReadMs ?? SAFETY_READ_MS);
  const stop = (): void => end();
  const unhear = onPageResume(wake);
  options.signal?.addEventListener('abort', stop, { once: true });

  function end(failure?: MashupClientError): void {
    if (stopped) return;
    stopped = true;
    clearInterval(safetyTimer);
    clearTimeout(rejoinTimer);
    unhear();
    options.signal?.removeEventListener('abort', stop);
    channel?.leave();
    channel = undefined;
    updates.close(failure);
  }

  if (options.signal?.aborted) {
    end();
  } else {
    void snapshot();
    void join();
  }

  return {
    get current() {
      return updates.latest;
    },
    finished: updates.finished,
    stop,
    [Symbol.asyncIterator]: () => updates.iterate(stop),
  };
}

async function hasSession(supabase: SupabaseClient): Promise<boolean> {
  try {
    const { data } = await supabase.auth.getSession();
    return data.session !== null;
  } catch {
    // A client with an `accessToken` option of its own has no auth: whoever gives the token may give a better one.
    return true;
  }
}
