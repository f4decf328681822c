/**
 * Watches over a claim while its task runs: beats, tells news, and aborts the work as soon as the claim is void. The
 * worker's half of the lease: work without a good beat for longer than the lease allows is dropped before somebody else
 * starts it.
 */
import { ClaimVoid, TaskError } from './errors.ts';
import type { Verdict } from './errors.ts';
import type { Db } from './database/database.ts';
import type { Log } from './log.ts';
import { errorText } from './redact.ts';
import { heartbeatTask } from './database/database-api.ts';
import type { Claim } from './database/database-api.ts';

/** Work stops when this share of its lease is left (5 s of 30): nobody else can have started it then. */
const LEASE_MARGIN = 1 / 6;
/** News is told at most this often. */
const NEWS_INTERVAL_MS = 1_000;
/** A beat that failed is sent again after this. */
const RETRY_BEAT_MS = 1_000;
const CHECK_MS = 500;

export interface ClaimWatch {
  /** Aborts with a ClaimVoid, or with a TaskError when the task takes longer than it may. */
  signal: AbortSignal;
  /** Progress 0..1 of the task, and what is being done. */
  tell(progress: number | undefined, step: string | undefined): void;
  /** Asks at once whether the claim still holds. */
  ask(): void;
  abort(verdict: Verdict): void;
  stop(): void;
}

const WORDS: Record<Verdict, string> = {
  replayed: 'the job was replayed',
  cancelled: 'the job was cancelled',
  failed: 'the job has failed',
  lost: 'the task was taken from this worker',
  stopping: 'the worker is stopping',
};

/** Starts watching; `stop` ends it. Times are by the monotonic clock. */
export function watchClaim(db: Db, claim: Claim, log: Log): ClaimWatch {
  const controller = new AbortController();
  const startedAt = performance.now();
  let lastGood = startedAt;
  let nextBeatAt = startedAt + claim.heartbeat_sec * 1000;
  let lastNewsAt = -Infinity;
  let news: { progress?: number; step?: string } | undefined;
  let told: { progress?: number; step?: string } = {};
  let echo: typeof news;
  let isBeating = false;
  let isAsked = false;

  function end(reason: ClaimVoid | TaskError): void {
    clearInterval(checking);
    if (!controller.signal.aborted) controller.abort(reason);
  }

  function check(): void {
    const now = performance.now();
    if (now - lastGood > claim.lease_sec * (1 - LEASE_MARGIN) * 1000) {
      end(new ClaimVoid('lost', 'no good beat for longer than the lease allows'));
    } else if (now - startedAt > claim.timeout_sec * 1000) {
      end(
        new TaskError(`The ${claim.kind} task took longer than ${claim.timeout_sec} s.`, {
          code: 'task_timeout',
          hint: 'Try again; if it happens again, use shorter songs.',
          faultClass: 'transient',
        }),
      );
    } else if (now >= nextBeatAt || (news !== undefined && now - lastNewsAt >= NEWS_INTERVAL_MS)) {
      void beat();
    }
  }

  async function beat(): Promise<void> {
    if (isBeating) {
      isAsked = true;
      return;
    }
    isBeating = true;
    const sentAt = performance.now();
    const sent = news ?? echo;
    // Told once more with the next beat: the database leaves out news that comes right after another change of the row.
    echo = news;
    if (news !== undefined) lastNewsAt = sentAt;
    news = undefined;
    try {
      const answer = await heartbeatTask(db, claim, sent);
      if (answer === 'held') {
        lastGood = sentAt;
        nextBeatAt = sentAt + claim.heartbeat_sec * 1000;
      } else {
        end(new ClaimVoid(answer, WORDS[answer]));
      }
    } catch (error) {
      nextBeatAt = sentAt + RETRY_BEAT_MS;
      news ??= sent;
      log('warn', 'a beat of a task failed', { task: claim.task_id, error: errorText(error) });
    } finally {
      isBeating = false;
    }
    if (isAsked && !controller.signal.aborted) {
      isAsked = false;
      await beat();
    }
  }

  const checking = setInterval(check, CHECK_MS);

  return {
    signal: controller.signal,
    tell(progress, step) {
      if (progress === told.progress && step === told.step) return;
      told = { progress, step };
      news = told;
    },
    ask: () => void beat(),
    abort: (verdict) => end(new ClaimVoid(verdict, WORDS[verdict])),
    stop: () => clearInterval(checking),
  };
}
