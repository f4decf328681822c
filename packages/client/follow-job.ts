/**
 * Follows one job live without polling, in any frontend that uses supabase-js.
 *
 * The job's row is authoritative and its `version` gives the order. Realtime delivers changes early. Snapshots ensure that none
 * is missed: one at the start, one when the stream is ready, one when the connection or the page resumes, and one periodically.
 * A version that goes back means that the database was restored: two snapshots in succession confirm it. A change that arrives
 * late looks the same in the stream, so the stream alone never moves the state back.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { fromDatabaseError, MashupClientError } from './errors.ts';
import { LiveChannel } from './live-channel.ts';
import { openUpdates } from './updates.ts';
import { onPageResume } from './page-resume.ts';
import { serializeReads } from './serialize-reads.ts';
import type { Reads } from './serialize-reads.ts';
import type { MashupJob } from './types.ts';
import { toMashupJob } from './wire.ts';

/** Default interval of the periodic snapshot. */
const SAFETY_READ_MS = 30_000;
const TABLE = 'mashup_jobs';

export interface FollowOptions {
  /** Called with each state of the row, in order, each once. After a restore of the database the order starts again. */
  onChange?: (job: MashupJob) => void;
  /**
   * Called with true when the live stream has started and the row has been read since then, and with false when the stream is
   * lost. Without a stream the shown state may be seconds old.
   */
  onLive?: (isLive: boolean) => void;
  /** Ends the following. */
  signal?: AbortSignal;
  /** Continues after the job has ended, to show a replay. While its studio version is being made, it continues in any case. */
  keepOpen?: boolean;
  /** Interval of the periodic snapshot in milliseconds; default 30 seconds. */
  safetyReadMs?: number;
}

export interface JobFollower extends AsyncIterable<MashupJob> {
  /** The newest known state. */
  readonly current: MashupJob | undefined;
  /**
   * Resolves with the last known state when the job ends, and with it its studio version, or the following is stopped.
   * Rejects with MashupClientError `job_not_found` or `sign_in_required`.
   */
  readonly finished: Promise<MashupJob | undefined>;
  /** Ends the following; safe to call twice. */
  stop(): void;
}

/**
 * Follows a job of the signed-in user, through `onChange`, `for await`, or both. An iterator starts with the newest state.
 * Replays are shown as they happen, including steps back to earlier stages.
 */
export function followJob(supabase: SupabaseClient, jobId: string, options: FollowOptions = {}): JobFollower {
  const follower = new Follower(supabase, jobId, options);
  follower.start();
  return follower;
}

class Follower implements JobFollower {
  readonly #supabase: SupabaseClient;
  readonly #jobId: string;
  readonly #options: FollowOptions;
  readonly #updates = openUpdates<MashupJob>();
  readonly #channel: LiveChannel;
  readonly #reads: Reads;
  readonly #cleanUps: (() => void)[] = [];
  #isStopped = false;
  /** The stream is ready, and no read that began since then has succeeded. */
  #isLivePending = false;
  /** The state that the last snapshot contradicted with an older one. */
  #doubted: MashupJob | undefined;

  constructor(supabase: SupabaseClient, jobId: string, options: FollowOptions) {
    this.#supabase = supabase;
    this.#jobId = jobId;
    this.#options = options;
    this.#reads = serializeReads((signal) => this.#read(signal));
    this.#channel = new LiveChannel(supabase, TABLE, jobId, {
      onReady: () => {
        this.#isLivePending = true;
        this.#reads.restart();
      },
      onChange: (row) => (row === undefined ? this.#reads.request() : this.#apply(toMashupJob(row))),
      onLost: () => {
        this.#isLivePending = false;
        options.onLive?.(false);
      },
      // No changes arrive meanwhile, so each attempt reads the row.
      onRetry: () => this.#reads.request(),
    });
  }

  get current(): MashupJob | undefined {
    return this.#updates.latest;
  }

  get finished(): Promise<MashupJob | undefined> {
    return this.#updates.finished;
  }

  readonly stop = (): void => this.#end();

  [Symbol.asyncIterator](): AsyncIterator<MashupJob> {
    return this.#updates.iterate(this.stop);
  }

  start(): void {
    const { safetyReadMs, signal } = this.#options;
    if (signal?.aborted) return this.#end();
    const timer = setInterval(() => this.#reads.request(), safetyReadMs ?? SAFETY_READ_MS);
    signal?.addEventListener('abort', this.stop, { once: true });
    this.#cleanUps.push(
      () => clearInterval(timer),
      onPageResume(() => this.#resume()),
      () => signal?.removeEventListener('abort', this.stop),
      () => this.#reads.stop(),
      () => this.#channel.stop(),
    );
    this.#reads.request();
    this.#channel.start();
  }

  /** The page or the network is back: changes may have been missed, and waiting before the next join is no longer useful. */
  #resume(): void {
    if (this.#isStopped) return;
    this.#reads.restart();
    this.#channel.retryNow();
  }

  /** Reads the row. Returns false for an error that may be temporary. supabase-js does not repeat the read: `Reads` does. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const isAfterReady = this.#isLivePending;
    const { data, error, status } = await this.#supabase
      .from(TABLE)
      .select('*')
      .eq('id', this.#jobId)
      .abortSignal(signal)
      .retry(false)
      .maybeSingle<object>();
    if (this.#isStopped) return true;
    if (error) {
      // A text that is no id names no mashup.
      const failure = error.code === '22P02' ? jobNotFound(this.#jobId) : fromDatabaseError(error, status);
      const isSignedOut = failure.code === 'sign_in_required' && !(await hasSession(this.#supabase));
      if (isSignedOut || status === 400) this.#end(failure);
      return false;
    }
    if (data === null) {
      this.#end(jobNotFound(this.#jobId));
      return true;
    }
    this.#applySnapshot(toMashupJob(data));
    if (isAfterReady) this.#reportLive();
    return true;
  }

  #reportLive(): void {
    if (this.#isStopped || !this.#isLivePending) return;
    this.#isLivePending = false;
    this.#options.onLive?.(true);
  }

  #applySnapshot(job: MashupJob): void {
    const known = this.#updates.latest;
    if (known === undefined || !isBefore(job, known)) {
      this.#doubted = undefined;
      this.#apply(job);
    } else if (this.#doubted === known) {
      this.#doubted = undefined;
      this.#accept(job);
    } else {
      // A change may have arrived while this snapshot was on its way. Nothing that was committed is missing in the next one.
      this.#doubted = known;
      this.#reads.request();
    }
  }

  #apply(job: MashupJob): void {
    const known = this.#updates.latest;
    if (known === undefined || job.version > known.version) this.#accept(job);
  }

  #accept(job: MashupJob): void {
    if (this.#isStopped) return;
    this.#updates.push(job);
    this.#options.onChange?.(job);
    if (job.status !== 'processing' && !isStudioVersionLive(job) && !this.#options.keepOpen) this.#end();
  }

  #end(failure?: MashupClientError): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#updates.close(failure);
  }
}

/** Whether the studio version of a complete job is being made: its result is going to be replaced. */
function isStudioVersionLive({ studioVersion }: MashupJob): boolean {
  return studioVersion?.state === 'separating' || studioVersion?.state === 'rendering';
}

/** Whether a row is older than the known state, or another row of the same version, as after a restore. */
function isBefore(job: MashupJob, known: MashupJob): boolean {
  if (job.version !== known.version) return job.version < known.version;
  return job.epoch !== known.epoch || job.stage !== known.stage;
}

function jobNotFound(jobId: string): MashupClientError {
  return new MashupClientError('job_not_found', `There is no mashup ${jobId}.`, {
    hint: 'Open one of your own mashups, signed in as the user who made it.',
    status: 404,
  });
}

async function hasSession(supabase: SupabaseClient): Promise<boolean> {
  try {
    const { data } = await supabase.auth.getSession();
    return data.session !== null;
  } catch {
    // A client with its own `accessToken` option has no auth. Its next token may be valid.
    return true;
  }
}
