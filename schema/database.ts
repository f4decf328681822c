/**
 * The tables of the database, for Kysely: one member for each column. A test compares them with the database.
 *
 * `bigint` and `numeric` arrive as strings. Times arrive as `Date`.
 */
import type { ColumnType, Generated } from 'kysely';
import type { PlanEdit } from './edits.ts';
import type { WishOutcome } from './wishes.ts';
import type { MashupOptions, OwnStem, PairScore, Plan, RenderResult, SongAnalysis } from './music.ts';
import type { MashupStems, MashupStemsSummary } from './mashup-stems.ts';
import type { PlayableAudio } from './playable.ts';
import type { CircuitName, ServiceName, StemLayout, StoredStems } from './services.ts';
import type { PlanOpening, SongRanges } from './stem-ranges.ts';
import type { Stage, TaskKind } from './stages.ts';

export * from './stages.ts';

/** Whether a job is live (`processing`), or how it ended. */
export const JOB_STATUSES = ['processing', 'complete', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What a live job waits for: a slot, a free place at a service, a circuit, a pause, or its user. */
export const WAITING_ON = ['slot', 'tasks', 'circuit', 'pause', 'user'] as const;
export type WaitingOn = (typeof WAITING_ON)[number];

/** States of a task. `ready`: it has a queue entry; `dropped`: no longer needed. */
export const TASK_STATES = ['waiting', 'ready', 'running', 'done', 'failed', 'dropped'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** States of a song in a job. */
export const SONG_STATES = ['pending', 'analyzing', 'analyzed', 'separating', 'ready', 'excluded', 'failed'] as const;
export type SongState = (typeof SONG_STATES)[number];

/** Types of events in a job's history. */
export const EVENT_TYPES = [
  'submitted',
  'stage',
  'task',
  'retry',
  'warning',
  'error',
  'replay',
  'cancel',
  'pause',
  'resume',
  'release',
  'expired',
  'takedown',
  'share',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** A song's card in a job's row: the values of the track card, and pointers to analysis and stems. */
export interface SongCard {
  song_id: string;
  name: string;
  artist: string;
  path: string;
  state: SongState;
  /** SHA-256 of the file's bytes, hex. */
  hash?: string;
  analysis_id?: number;
  stems_id?: number;
  /** The stems that the user gave with the song. */
  own_stems_id?: number;
  /** The model that the job wanted, if the stems are of another one; `none` if there was none. */
  instead_of?: string;
  duration_sec?: number;
  bpm?: number;
  key?: string;
  camelot?: string;
  energy?: number;
  brightness?: number;
  loudness_lufs?: number;
  vocal_presence?: number;
  confidence?: number;
  /** Peculiarities of the file, in sentences. */
  warnings?: string[];
  /** Code of the error that excluded the song. */
  error?: string;
}

/** A warning on a job: a failed quality check, or what was made in another way than planned. */
export interface JobWarning {
  code: string;
  message: string;
  stage: Stage;
}

/** What separated a song. `own`: its stems were uploaded; `service`: a separation service that does not name its models. */
export const SEPARATION_METHODS = ['classical', 'neural', 'own', 'service'] as const;
export type SeparationMethodName = (typeof SEPARATION_METHODS)[number];

/** What separated the songs of a result, by song id. */
export type Separations = Record<string, { model: string; method: SeparationMethodName }>;

/** Summary of the result in a job's row; the whole report is in `mashup_results.quality`. */
export type JobResult = Pick<
  RenderResult,
  'duration_sec' | 'loudness_lufs' | 'true_peak_dbtp' | 'format' | 'bytes' | 'bpm' | 'key'
> & {
  /** Whether every hard quality check passed. Absent: the renderer checks nothing. */
  quality?: { passed: boolean };
  /** The stems of the result, if they were asked for. */
  stems?: MashupStemsSummary;
  /** What separated its songs. Absent in results of older workers. */
  separation?: Separations;
};

/** States of a studio version. */
export const STUDIO_VERSION_STATES = ['separating', 'rendering', 'ready', 'failed', 'cancelled'] as const;

/** The studio version of a complete job. `progress` is in per cent; it and `step` are there while the version is being made. */
export interface StudioVersion {
  state: (typeof STUDIO_VERSION_STATES)[number];
  progress?: number;
  step?: string;
}

/** A jsonb column: read as `T`, written as `T`. */
type Json<T> = ColumnType<T, T, T>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;

/** A row of `public.mashup_jobs`. */
export interface MashupJobsTable {
  id: Generated<string>;
  user_id: string;
  stage: Defaulted<Stage>;
  status: Defaulted<JobStatus>;
  waiting_on: WaitingOn | null;
  queue_position: number | null;
  progress: Defaulted<number>;
  current_step: Defaulted<string>;
  epoch: Defaulted<number>;
  version: Defaulted<number>;
  entry_stage: Defaulted<Stage>;
  songs: Json<SongCard[]>;
  options: Json<Partial<MashupOptions>>;
  score: number | null;
  title: string | null;
  concept: string | null;
  plan_version: number | null;
  result_path: string | null;
  result: Json<JobResult | null>;
  playable: Json<PlayableAudio | null>;
  studio_version: Json<StudioVersion | null>;
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
  failed_task: string | null;
  stopped_stage: Stage | null;
  warnings: Json<JobWarning[]>;
  estimated_completion_at: Date | null;
  estimate_note: string | null;
  parent_id: string | null;
  first_id: string | null;
  feedback: string | null;
  hold: 'planning' | null;
  fresh: Defaulted<boolean>;
  admitted_at: Date | null;
  idempotency_key: string | null;
  request_hash: string | null;
  traceparent: Defaulted<string>;
  created_at: Defaulted<Date>;
  queued_at: Defaulted<Date>;
  stage_entered_at: Defaulted<Date>;
  updated_at: Defaulted<Date>;
  finished_at: Date | null;
  expired_at: Date | null;
  takedown_reason: string | null;
  shared_at: Date | null;
}

/** A row of `public.mashup_plans`. */
export interface MashupPlansTable {
  job_id: string;
  version: number;
  epoch: number;
  source: 'claude' | 'rules';
  plan: Json<Plan>;
  song_ids: string[];
  model: string | null;
  tokens: Json<Record<string, number> | null>;
  cost_usd: string | null;
  changes: string | null;
  wishes: Json<WishOutcome | null>;
  edits: Json<PlanEdit[] | null>;
  ranges: Json<Record<string, SongRanges> | null>;
  opening: Json<PlanOpening | null>;
  wording: number | null;
  created_at: Defaulted<Date>;
}

/** A row of `mashup.plan_edits`. `edits` has passed the checks of the form only. */
export interface PlanEditsTable {
  job_id: string;
  base_version: number;
  base: Json<Plan>;
  edits: Json<unknown[]>;
  created_at: Defaulted<Date>;
}

/** A row of `public.mashup_results`. */
export interface MashupResultsTable {
  job_id: string;
  epoch: number;
  path: string;
  quality: Json<Partial<RenderResult>>;
  plan_version: number | null;
  sources: Json<Record<string, StoredStems> | null>;
  stems: Json<MashupStems | null>;
  separation: Json<Separations | null>;
  plan: Json<Plan | null>;
  changes: string | null;
  created_at: Defaulted<Date>;
}

/** A row of `public.mashup_shares`. */
export interface MashupSharesTable {
  token: string;
  job_id: string;
  created_at: Defaulted<Date>;
  revoked_at: Date | null;
  taken_down_at: Date | null;
  reason: string | null;
  actor: string | null;
}

/** A row of `public.mashup_job_events`. */
export interface MashupJobEventsTable {
  id: Generated<string>;
  job_id: string;
  epoch: number;
  type: EventType;
  stage: Stage;
  from_stage: Stage | null;
  song_id: string | null;
  message: string;
  actor: string | null;
  detail: Json<Record<string, unknown> | null>;
  created_at: Defaulted<Date>;
}

/** A row of `mashup.tasks`. */
export interface TasksTable {
  id: Generated<string>;
  job_id: string;
  kind: TaskKind;
  song_id: string | null;
  epoch: number;
  state: Defaulted<TaskState>;
  priority: number;
  run_at: Defaulted<Date>;
  attempt: Defaulted<number>;
  failures: Defaulted<number>;
  crashes: Defaulted<number>;
  lost_by: string | null;
  lost_at: Date | null;
  solo_crashes: Defaulted<number>;
  is_probe: Defaulted<boolean>;
  fallback: Defaulted<boolean>;
  is_studio: Defaulted<boolean>;
  claim: string | null;
  worker_id: string | null;
  started_at: Date | null;
  lease_until: Date | null;
  deadline_at: Date | null;
  held_until: Date | null;
  heard_at: Date | null;
  silence_sec: number | null;
  place: number | null;
  output_prefix: string | null;
  opening: Json<{ claim: string; paths: StoredStems; model?: string | null; folder?: string } | null>;
  error: Json<{ code: string; message?: string; hint?: string } | null>;
  created_at: Defaulted<Date>;
  finished_at: Date | null;
}

/** A row of `mashup.task_kinds`. */
export interface TaskKindsTable {
  kind: TaskKind;
  stage: Stage;
  service: ServiceName;
  priority: number;
  max_attempts: number;
  backoff_sec: number;
  backoff_max_sec: number;
  timeout_sec: number;
  fallback_after_sec: number | null;
  song_member: string | null;
  song_state: SongState | null;
  song_step: string | null;
  output_path: string | null;
  reports_progress: boolean;
  uses_storage: boolean;
}

/** A row of `mashup.stages`. */
export interface StagesTable {
  stage: Stage;
  position: number;
  is_terminal: boolean;
  progress_from: number;
  progress_to: number;
  step: string;
  makes: string | null;
  ends_early: boolean;
}

/** A row of `mashup.transitions`. */
export interface TransitionsTable {
  from_stage: Stage;
  to_stage: Stage;
  name: 'admit' | 'advance' | 'fail' | 'replan' | 'remake' | 'cancel' | 'replay';
  made_by: 'engine' | 'operator';
}

/** A row of `mashup.settings`. */
export interface SettingsTable {
  name: string;
  value: Json<unknown>;
  description: string;
  type: Defaulted<'number' | 'integer' | 'boolean' | 'name' | 'time_of_separation' | 'numbers_by_service'>;
  unit: string | null;
  min: Defaulted<string>;
  max: string | null;
  is_optional: Defaulted<boolean>;
}

/** A row of `mashup.workers`. */
export interface WorkersTable {
  id: string;
  host: string;
  pid: number;
  pool_ids: Defaulted<string[]>;
  lock_key: string;
  version: string;
  protocol: Defaulted<number>;
  concurrency: Defaulted<number>;
  services: Json<Record<string, string>>;
  solo_task: string | null;
  registered_at: Defaulted<Date>;
  seen_at: Defaulted<Date>;
  draining: Defaulted<boolean>;
}

/** A row of `mashup.analyses`. */
export interface AnalysesTable {
  id: Generated<string>;
  user_id: string;
  content_hash: string;
  version: string;
  analysis: Json<SongAnalysis>;
  created_at: Defaulted<Date>;
  used_at: Defaulted<Date>;
}

/** A row of `mashup.stems`. */
export interface StemsTable {
  id: Generated<string>;
  user_id: string;
  content_hash: string;
  model: string;
  method: Defaulted<SeparationMethodName>;
  layout: Defaulted<StemLayout | 'four_stems'>;
  paths: Json<StoredStems>;
  created_at: Defaulted<Date>;
  used_at: Defaulted<Date>;
}

/** A row of `mashup.own_stems`. */
export interface OwnStemsTable {
  id: Generated<string>;
  user_id: string;
  files: Json<Partial<Record<OwnStem, string>>>;
  has_song: boolean;
  created_at: Defaulted<Date>;
}

/** The row of `mashup.separation_models`: the models of the separation service. */
interface SeparationModelsTable {
  only_row: Defaulted<boolean>;
  classical: string;
  neural: string | null;
  used: string;
  seen_at: Defaulted<Date>;
}

/** A row of `mashup.scores`. */
export interface ScoresTable {
  job_id: string;
  epoch: number;
  pairs: Json<PairScore[]>;
  created_at: Defaulted<Date>;
}

/** A row of `mashup.plan_receipts`. */
export interface PlanReceiptsTable {
  id: Generated<string>;
  job_id: string;
  request_hash: string;
  answer: Json<unknown>;
  tokens: Json<Record<string, number> | null>;
  cost_usd: string | null;
  created_at: Defaulted<Date>;
}

/** Costs of plans by day (UTC) and user. */
interface PlanSpendTable {
  day: string;
  user_id: string;
  calls: number;
  cost_usd: string;
}

/** A row of `mashup.places`. */
export interface PlacesTable {
  service: string;
  n: number;
  task_id: string | null;
  held_until: Date | null;
  is_open: Defaulted<boolean>;
}

/** A row of `mashup.stage_stats`. */
export interface StageStatsTable {
  kind: TaskKind;
  samples: Defaulted<number>;
  base_sec: number;
  per_song_sec: number;
  mean_sec: number;
  model_factor: Defaulted<number>;
  edit_factor: Defaulted<number>;
  is_by_length: Defaulted<boolean>;
}

/** A row of `mashup.service_health`. */
export interface ServiceHealthTable {
  service: CircuitName;
  state: Defaulted<'closed' | 'open' | 'half_open'>;
  failures: Defaulted<number>;
  opens: Defaulted<number>;
  opened_at: Date | null;
  retry_at: Date | null;
  probe_task: string | null;
  last_error: string | null;
  faults: Defaulted<number>;
  last_fault: string | null;
  fault_at: Date | null;
  checked_at: Date | null;
  heard_at: Date | null;
  unanswered_since: Date | null;
  updated_at: Defaulted<Date>;
}

/** A row of `mashup.pauses`. */
export interface PausesTable {
  scope: 'system' | 'user' | 'job' | 'kind' | 'service';
  key: Defaulted<string>;
  reason: string;
  until: Date | null;
  actor: string;
  created_at: Defaulted<Date>;
}

/** A row of `mashup.storage_deletions`. */
export interface StorageDeletionsTable {
  id: Generated<string>;
  bucket: Defaulted<string>;
  path: string;
  is_prefix: Defaulted<boolean>;
  not_before: Defaulted<Date>;
  attempts: Defaulted<number>;
  last_error: string | null;
  created_at: Defaulted<Date>;
}

/** A row of `mashup.outgoing_events`. */
export interface OutgoingEventsTable {
  seq: Generated<string>;
  id: Generated<string>;
  job_id: string;
  type: 'job.complete' | 'job.failed' | 'job.cancelled' | 'job.expired' | 'job.taken_down' | 'job.studio_version';
  payload: Json<Record<string, unknown>>;
  not_before: Defaulted<Date>;
  attempts: Defaulted<number>;
  last_error: string | null;
  created_at: Defaulted<Date>;
  delivered_at: Date | null;
}

/** Levels of the log lines of tasks. `debug`: calls and steps, which are not on the output of the worker. */
export type TaskLogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A row of `mashup.task_logs`. */
export interface TaskLogsTable {
  id: Generated<string>;
  task_id: string;
  claim: string;
  worker_id: string;
  at: Date;
  level: TaskLogLevel;
  line: string;
  fields: Defaulted<Record<string, string | number | boolean | null>>;
}

/** A row of `mashup.call_counts`. */
export interface CallCountsTable {
  user_id: string;
  action: string;
  since: Date;
  calls: number;
}

/** A row of `mashup.share_counts`. */
interface ShareCountsTable {
  counter: string;
  since: Date;
  calls: number;
}

/** The row of `mashup.share_salt`. */
interface ShareSaltTable {
  only_row: Defaulted<boolean>;
  day: string;
  salt: string;
}

/** A row of `mashup.maintenance_runs`. */
export interface MaintenanceRunsTable {
  name: string;
  done_at: Defaulted<Date>;
}

/** The tables by qualified name, for Kysely: a worker does not depend on its search_path. */
export interface Database {
  'public.mashup_jobs': MashupJobsTable;
  'public.mashup_plans': MashupPlansTable;
  'public.mashup_results': MashupResultsTable;
  'public.mashup_shares': MashupSharesTable;
  'public.mashup_job_events': MashupJobEventsTable;
  'mashup.tasks': TasksTable;
  'mashup.task_kinds': TaskKindsTable;
  'mashup.stages': StagesTable;
  'mashup.transitions': TransitionsTable;
  'mashup.settings': SettingsTable;
  'mashup.workers': WorkersTable;
  'mashup.analyses': AnalysesTable;
  'mashup.stems': StemsTable;
  'mashup.own_stems': OwnStemsTable;
  'mashup.scores': ScoresTable;
  'mashup.plan_receipts': PlanReceiptsTable;
  'mashup.plan_edits': PlanEditsTable;
  'mashup.plan_spend': PlanSpendTable;
  'mashup.places': PlacesTable;
  'mashup.stage_stats': StageStatsTable;
  'mashup.service_health': ServiceHealthTable;
  'mashup.separation_models': SeparationModelsTable;
  'mashup.pauses': PausesTable;
  'mashup.storage_deletions': StorageDeletionsTable;
  'mashup.outgoing_events': OutgoingEventsTable;
  'mashup.task_logs': TaskLogsTable;
  'mashup.maintenance_runs': MaintenanceRunsTable;
  'mashup.call_counts': CallCountsTable;
  'mashup.share_counts': ShareCountsTable;
  'mashup.share_salt': ShareSaltTable;
}
