/**
 * Stages and kinds of tasks: the only hand-written list of them. `npm run schema:build` writes the rows of
 * `mashup.stages`, `mashup.transitions`, `mashup.task_kinds` and `mashup.stage_stats` from it, and the SQL that calls a
 * stage's own functions.
 */
import type { ServiceName } from './services.ts';

/** One stage of a job. */
interface StageDefinition {
  stage: string;
  /** Short name in the studio. */
  name: string;
  /** Progress of a job on entry and at the end of the stage, in per cent. */
  progress: readonly [from: number, to: number];
  /** The text that users read on entry. */
  step: string;
  isTerminal?: true;
  /**
   * What the stage makes: a later stage cannot be entered without it. `text` names it in error messages; `check` is the
   * SQL function of schema `mashup` that tells whether a job has it.
   */
  makes?: { text: string; check: string };
  /** For the table in docs/explanation/architecture.md: the tasks of the stage, and when a job leaves it. Not for terminal stages. */
  about?: { tasks: string; advancesWhen: string };
  /** The stage ends as soon as what it makes is there, even if tasks of it are not finished. */
  endsEarly?: true;
}

const STAGE_LIST = [
  {
    stage: 'queued',
    name: 'Queued',
    progress: [0, 0],
    step: 'Waiting for a free slot',
    about: {
      tasks: 'none',
      advancesWhen:
        'a slot is free. Slots are limited for the system and per user; the user with the fewest running jobs is first',
    },
  },
  {
    stage: 'analyzing',
    name: 'Analyse',
    progress: [0, 50],
    step: 'Analysing the songs',
    makes: { text: 'the analysis of a song', check: 'has_analyses' },
    about: {
      tasks: 'one `analyze` per song, in parallel',
      advancesWhen: 'every song is analysed, or excluded with a warning while two remain',
    },
  },
  {
    stage: 'scoring',
    name: 'Compare',
    progress: [50, 60],
    step: 'Comparing the songs',
    makes: { text: 'the scores', check: 'has_scores' },
    about: {
      tasks:
        '`score`; of a draft also one `separate` per song, at lower priority: it separates the whole song while the draft waits for its user (setting `separate_early`)',
      advancesWhen: 'the scores are stored',
    },
  },
  {
    stage: 'planning',
    name: 'Plan',
    progress: [60, 75],
    step: 'Planning the mashup',
    makes: { text: 'a current plan', check: 'has_plan' },
    about: { tasks: '`plan`', advancesWhen: 'a plan has passed the checks, or the rule-based producer has made one' },
  },
  {
    stage: 'separating',
    name: 'Separate',
    progress: [75, 80],
    step: 'Separating the stems',
    makes: { text: 'the stems of a song in the plan', check: 'has_stems' },
    endsEarly: true,
    about: {
      tasks: 'one `separate` per song of the plan whose stems do not hold what the plan plays',
      advancesWhen: 'the stems hold what the plan plays',
    },
  },
  {
    stage: 'rendering',
    name: 'Render',
    progress: [80, 100],
    step: 'Rendering the mashup',
    makes: { text: 'the result', check: 'has_result' },
    about: { tasks: '`render`', advancesWhen: 'the file is stored and measured' },
  },
  {
    stage: 'complete',
    name: 'Complete',
    progress: [100, 100],
    step: 'Done',
    isTerminal: true,
  },
  {
    stage: 'failed',
    name: 'Failed',
    progress: [0, 100],
    step: 'Failed',
    isTerminal: true,
  },
  {
    stage: 'cancelled',
    name: 'Cancelled',
    progress: [0, 100],
    step: 'Cancelled',
    isTerminal: true,
  },
] as const satisfies readonly StageDefinition[];

export type Stage = (typeof STAGE_LIST)[number]['stage'];
/** A stage that a job can be replayed from. */
export type ReplayStage = Exclude<Stage, 'complete' | 'failed' | 'cancelled'>;

/** The stages, in order. */
export const STAGE_DEFINITIONS: readonly (StageDefinition & { stage: Stage })[] = STAGE_LIST;
/** Names of the stages of a job, in order. */
export const STAGES: readonly Stage[] = STAGE_LIST.map(({ stage }) => stage);
/** Short names of the stages in the studio. */
export const STAGE_NAMES = Object.fromEntries(STAGE_LIST.map(({ stage, name }) => [stage, name])) as Record<
  Stage,
  string
>;
/** Stages in which a job ends. */
export const TERMINAL_STAGES: readonly Stage[] = STAGE_DEFINITIONS.filter((one) => one.isTerminal).map(
  ({ stage }) => stage,
);
/** Stages that a job can be replayed from, in order. */
export const REPLAY_STAGES: readonly ReplayStage[] = STAGE_DEFINITIONS.filter((one) => !one.isTerminal).map(
  ({ stage }) => stage as ReplayStage,
);
/** Stages with work: neither waiting for a slot nor terminal. In order. */
export const WORKING_STAGES: readonly ReplayStage[] = REPLAY_STAGES.filter((stage) => stage !== 'queued');

/** One kind of task: its stage, its service, and how it is retried. */
interface TaskKindDefinition {
  kind: string;
  stage: Stage;
  service: ServiceName;
  /** The task reads or writes files: it waits while the circuit of Storage is open. */
  usesStorage?: true;
  /** Lower runs first. */
  priority: number;
  maxAttempts: number;
  /** The delay after n failures is random, up to the smaller of `base` * 2^n and `max`. Seconds. */
  backoffSec: readonly [base: number, max: number];
  /** Longest time that one attempt may take, in seconds. */
  timeoutSec: number;
  /** Seconds for which a task waits for its unavailable service before it runs without it. Absent: it never does. */
  fallbackAfterSec?: number;
  /** Kinds with one task for each song. Absent: one task for the job. */
  perSong?: {
    /** The member of the song's card that points to the result. */
    member: string;
    /** State of the song's card while its task runs. */
    state: string;
    /** The text that users read while the task runs; the song's name follows. */
    step: string;
  };
  /** Where a claim may write in Storage, with {user}, {job}, {song}, {epoch} and {claim}. Absent: nowhere. */
  outputPath?: string;
  /** Heartbeats of a task move the progress of its job. */
  reportsProgress?: true;
  /** The SQL function of schema `mashup` that stores the result: (job, task, result) → void. */
  record: string;
  /** Expected durations before any is measured, in seconds; `perSong` for each second of song, or of the mashup if `isByLength`. */
  expectedSec: { base: number; perSong: number; mean: number; isByLength?: true };
}

const TASK_KIND_LIST = [
  {
    kind: 'analyze',
    stage: 'analyzing',
    service: 'analysis',
    usesStorage: true,
    priority: 0,
    maxAttempts: 4,
    backoffSec: [1, 30],
    timeoutSec: 300,
    perSong: { member: 'analysis_id', state: 'analyzing', step: 'Analysing' },
    record: 'record_analysis',
    expectedSec: { base: 0.5, perSong: 0.02, mean: 4 },
  },
  {
    kind: 'score',
    stage: 'scoring',
    service: 'scoring',
    priority: -10,
    maxAttempts: 4,
    backoffSec: [1, 30],
    timeoutSec: 60,
    fallbackAfterSec: 20,
    record: 'record_scores',
    expectedSec: { base: 0.2, perSong: 0, mean: 0.2 },
  },
  {
    kind: 'plan',
    stage: 'planning',
    service: 'orchestrator',
    priority: -10,
    maxAttempts: 3,
    backoffSec: [2, 60],
    // A correction may be requested twice, and each call may take as long as the service lets Claude think.
    timeoutSec: 660,
    fallbackAfterSec: 60,
    reportsProgress: true,
    record: 'record_plan',
    expectedSec: { base: 1, perSong: 0, mean: 3 },
  },
  {
    kind: 'separate',
    stage: 'separating',
    service: 'separation',
    usesStorage: true,
    priority: 10,
    maxAttempts: 4,
    backoffSec: [2, 60],
    timeoutSec: 1800,
    perSong: { member: 'stems_id', state: 'separating', step: 'Separating' },
    outputPath: 'stems/{user}/{job}/{song}/{claim}',
    reportsProgress: true,
    record: 'record_stems',
    expectedSec: { base: 0.5, perSong: 0.03, mean: 6 },
  },
  {
    kind: 'render',
    stage: 'rendering',
    service: 'processing',
    usesStorage: true,
    priority: -5,
    maxAttempts: 3,
    backoffSec: [2, 60],
    timeoutSec: 1800,
    outputPath: 'generated/{job}/{epoch}-{claim}',
    reportsProgress: true,
    record: 'record_result',
    expectedSec: { base: 4, perSong: 0.11, mean: 20, isByLength: true },
  },
  {
    // Asked for by a user when the job is complete: the job does not wait for it, and its failure does not end the job.
    kind: 'render_stems',
    stage: 'complete',
    service: 'processing',
    usesStorage: true,
    priority: 20,
    maxAttempts: 3,
    backoffSec: [2, 60],
    timeoutSec: 1800,
    outputPath: 'generated/{job}/{epoch}-{claim}',
    reportsProgress: true,
    record: 'record_mashup_stems',
    expectedSec: { base: 4, perSong: 0.12, mean: 30 },
  },
] as const satisfies readonly TaskKindDefinition[];

export type TaskKind = (typeof TASK_KIND_LIST)[number]['kind'];

/** The kinds of tasks, in the order of their stages. */
export const TASK_KIND_DEFINITIONS: readonly (TaskKindDefinition & { kind: TaskKind })[] = TASK_KIND_LIST;
/** Names of the kinds of tasks. */
export const TASK_KINDS: readonly TaskKind[] = TASK_KIND_LIST.map(({ kind }) => kind);
