/** Types of what `operator_overview` and `operator_job_history` return. */
import type { JobResult, MashupJob, PausesTable, Stage, TaskState, WaitingOn } from '../../../schema.ts';

/** A job that has not ended. Times are in seconds. */
export interface LiveJob {
  id: string;
  stage: Stage;
  waiting_on: WaitingOn | null;
  progress: number;
  current_step: string;
  in_stage_sec: number;
  running: number;
  ready: number;
  waiting: number;
  epoch: number;
  user_id: string;
}

/** How long jobs were in a stage: count and percentiles. */
export interface StageTimes {
  stage: Stage;
  passed: number;
  per_hour: number;
  p50_sec: number;
  p95_sec: number;
  max_sec: number;
}

/** Tasks of one kind by state. */
export interface KindLoad {
  kind: string;
  service: string;
  running: number;
  ready: number;
  waiting: number;
}

/** Number of jobs that ended in one hour, by final stage. */
export interface Hour {
  from: string;
  complete: number;
  failed: number;
  cancelled: number;
}

export type PauseScope = PausesTable['scope'];

/** The state of the whole engine. */
export interface Overview {
  stages: { stage: Stage; is_terminal: boolean; jobs: number }[];
  live: LiveJob[];
  stuck: { id: string; stage: Stage; why: string; in_stage_sec: number }[];
  failures: {
    error_code: string;
    failed_in: string | null;
    jobs: number;
    last_message: string;
    hint: string | null;
    last_job: string;
  }[];
  circuits: {
    service: string;
    state: 'closed' | 'open' | 'half_open';
    running: number;
    waiting: number;
    at_most: number | null;
    last_error: string | null;
    probe_in_sec: number | null;
  }[];
  pauses: { scope: PauseScope; key: string; reason: string; actor: string }[];
  kinds: KindLoad[];
  /** The last 24, oldest first. */
  hours: Hour[];
  capacity: { what: string; in_use: number; at_most: number; waiting: number }[];
  workers: { id: string; host: string; pid: number; concurrency: number; seen_sec: number; draining: boolean }[];
  throughput: StageTimes[];
  recent: {
    id: string;
    stage: Stage;
    title: string | null;
    error_code: string | null;
    error_message: string | null;
    songs: string[];
    took_sec: number | null;
    finished_at: string;
  }[];
}

/** A job with its tasks and events. */
export interface JobHistoryData {
  job: MashupJob & { result: JobResult | null };
  tasks: {
    id: number;
    kind: string;
    song_id: string | null;
    epoch: number;
    state: TaskState;
    failures: number;
    crashes: number;
    error: { code: string; message?: string; hint?: string } | null;
    took_sec: number | null;
  }[];
  events: {
    at: string;
    since_start_sec: number;
    epoch: number;
    what: string;
    stage: string;
    song: string | null;
    message: string;
    actor: string | null;
    detail: Record<string, unknown> | null;
  }[];
}
