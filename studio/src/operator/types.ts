/** Types of what `operator_overview`, `operator_throughput` and `operator_job_history` return. */
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

/** How a service is, the worst first. */
export type ServiceCondition =
  'paused' | 'unavailable' | 'being_probed' | 'silent' | 'failing' | 'not_answering' | 'not_heard' | 'available';

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
    condition: ServiceCondition;
    /** Consecutive faults that count for the circuit breaker, and others that the service answered. */
    failures: number;
    faults: number;
    last_fault: string | null;
    last_fault_sec: number | null;
    silent_sec: number | null;
    /** Since it last answered a check, and since when it has not answered. */
    heard_sec: number | null;
    unanswered_sec: number | null;
  }[];
  pauses: { scope: PauseScope; key: string; reason: string; actor: string }[];
  kinds: KindLoad[];
  /** The last 24, oldest first. */
  hours: Hour[];
  capacity: { what: string; in_use: number; at_most: number; waiting: number }[];
  workers: { id: string; host: string; pid: number; concurrency: number; seen_sec: number; draining: boolean }[];
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

/** A claim of a task. */
export interface Attempt {
  /** Null if it has written no line and is over. */
  claim: string | null;
  worker_id: string;
  /** Null if the worker is not registered any more. */
  host: string | null;
  from: string;
  /** Null while it runs. */
  until: string | null;
  lines: number;
  level: 'info' | 'warn' | 'error';
  /** Whether the task was taken from its worker, which was lost. */
  lost: boolean;
}

/** A task of a job. */
export interface Task {
  id: number;
  kind: string;
  service: string;
  song_id: string | null;
  epoch: number;
  state: TaskState;
  failures: number;
  max_attempts: number;
  crashes: number;
  is_studio: boolean;
  fallback: boolean;
  error: { code: string; message?: string; hint?: string } | null;
  created_at: string;
  run_at: string;
  started_at: string | null;
  finished_at: string | null;
  took_sec: number | null;
  /** The oldest first. Attempts whose log lines have expired are missing. */
  attempts: Attempt[];
}

/** A log line of a task. */
export interface LogLine {
  id: number;
  task_id: number;
  claim: string;
  worker_id: string;
  at: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  line: string;
  fields: Record<string, string | number | boolean | null>;
}

/** A job as lists show it. */
export interface ListedJob {
  id: string;
  stage: Stage;
  status: MashupJob['status'];
  waiting_on: WaitingOn | null;
  progress: number;
  current_step: string;
  title: string | null;
  songs: string[];
  user_id: string;
  email: string | null;
  error_code: string | null;
  error_message: string | null;
  stopped_stage: Stage | null;
  /** When it ended, or was created if it has not ended. */
  at: string;
  took_sec: number | null;
}

/** A page of jobs. */
export interface JobPage {
  jobs: ListedJob[];
  next: { time: string; id: string } | null;
}

/** What a filter of jobs selects. */
export interface BulkPreview {
  jobs: number;
  users: number;
  by_stage: { stage: Stage; jobs: number }[];
  by_user: { user_id: string; email: string | null; jobs: number }[];
  first: ListedJob[];
  server_now: string;
}

/** The public link of a job. */
export interface Share {
  created_at: string;
  revoked_at: string | null;
  taken_down_at: string | null;
  reason: string | null;
  actor: string | null;
}

/** A job with its tasks and events. */
export interface JobHistoryData {
  job: MashupJob & { result: JobResult | null };
  server_now: string;
  email: string | null;
  share: Share | null;
  tasks: Task[];
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
