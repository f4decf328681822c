/**
 * The messages of the engine in TypeScript: camelCase members. On the wire they have the snake_case names of the database's
 * columns. `tests/client/wire-types.ts` compares both by the compiler.
 */

import type { ReplayStage as EngineReplayStage, Stage as EngineStage } from '../../schema/stages.ts';

/** A stage of a job, from `queued` to `complete`, `failed` or `cancelled`. */
export type Stage = EngineStage;

/** A stage from which a job can be replayed: all but the last three. */
export type ReplayStage = EngineReplayStage;

/** State of a job as a whole. */
export type JobStatus = 'processing' | 'complete' | 'failed' | 'cancelled';

/** File format of a result. */
export type OutputFormat = 'wav' | 'flac' | 'mp3';

/** Options of a mashup. All are optional. */
export interface MashupOptions {
  format?: OutputFormat;
  /** `short`: about 1:30; `full`: 2:00 to 3:30, as far as the songs have enough music for it. Default: chosen by the songs. */
  length?: 'short' | 'full';
  /** Exact length in seconds, 20 to 600, as near as whole phrases allow. It replaces `length`. */
  lengthSec?: number;
  /** The user's wishes as text, at most 500 characters. */
  wishes?: string;
  /** Which song sings and which one plays drums and bass: ids of songs. Default: chosen by the planner. */
  roles?: { sings?: string; plays?: string };
  /**
   * What separates the songs. `auto`, the default: the model that the separation service is set to, otherwise the classical method;
   * `neural`: a model, or the job fails.
   */
  separation?: 'auto' | 'classical' | 'neural';
  /**
   * Whether the first result is made with classical stems and a second one with those of a model, which replaces it. Default: as the
   * engine is set.
   */
  studioVersion?: boolean;
}

/** An uploaded song, as `uploadSong` returns it and `submitMashup` takes it. */
export interface SubmittedSong {
  songId: string;
  name: string;
  artist?: string | null;
  /** Path of the upload in the bucket. Without it the song is the sum of its stems. */
  storagePath?: string;
  /** Stems of one's own: their paths in the bucket. The missing ones are separated. */
  stems?: OwnStems | null;
}

/** A stem that a user gives with a song. `instrumental`: all but the vocals. */
export type OwnStem = 'vocals' | 'drums' | 'bass' | 'other' | 'instrumental';

/** Stems of one's own, by what they are: the paths of their uploads. */
export type OwnStems = Partial<Record<OwnStem, string>>;

/** A song of a job, with its state and the first values of its analysis. */
export interface JobSong {
  songId: string;
  name: string;
  artist: string;
  /** Path of the upload in the bucket. */
  path: string;
  state: 'pending' | 'analyzing' | 'analyzed' | 'separating' | 'ready' | 'excluded' | 'failed';
  /** SHA-256 of the file's bytes, hex. */
  hash?: string;
  analysisId?: number;
  stemsId?: number;
  /** The user gave stems with the song. */
  ownStemsId?: number;
  /** The model that the job wanted, if the stems are of another one; `none` if there was none. */
  insteadOf?: string;
  durationSec?: number;
  bpm?: number;
  /** Key in the form `C# minor` or `Bb major`. */
  key?: string;
  /** Camelot code of the key. */
  camelot?: string;
  /** 0..1 */
  energy?: number;
  /** Spectral centroid in hertz. */
  brightness?: number;
  /** Integrated loudness in LUFS. */
  loudnessLufs?: number;
  /** 0..1 */
  vocalPresence?: number;
  /** Confidence in the beat, 0..1. */
  confidence?: number;
  /** Peculiarities of the file, in sentences. */
  warnings?: string[];
  /** Code of the error that excluded the song. */
  error?: string;
}

/** A failed quality check, or what was made in another way than planned. */
export interface JobWarning {
  code: string;
  message: string;
  stage: Stage;
}

/** Measurements of a rendered file. */
export interface JobResult {
  durationSec: number;
  loudnessLufs: number;
  truePeakDbtp: number;
  format: OutputFormat;
  bytes: number;
  bpm: number;
  key: string;
  /** Whether every hard quality check passed. Absent: the renderer checks nothing. */
  quality?: { passed: boolean };
  /** The stems of the result, if they were asked for: `readStems` reads their files. */
  stems?: MashupStemsSummary;
  /** What separated its songs, by song id. `own`: the stems were uploaded; `service`: a service that does not name its models. */
  separation?: Record<string, { model: string; method: 'classical' | 'neural' | 'own' | 'service' }>;
}

/** What a job's row says of the stems of its result. */
export interface MashupStemsSummary {
  state: 'pending' | 'ready' | 'failed';
  /** Per cent, while they are made. */
  progress?: number;
  /** Size of all files. */
  bytes?: number;
  /** Why they could not be made, and what to do. */
  message?: string;
  hint?: string;
}

/** One stem of one song, as the mashup plays it, in parts that join exactly. */
export interface MashupStemFile {
  songId: string;
  stem: 'vocals' | 'drums' | 'bass' | 'other';
  /** Folder in the bucket. Part i is `<path>/<i>.flac`; `downloadPart` reads it. */
  path: string;
  /** Size of all parts. */
  bytes: number;
}

/** The stems of a finished mashup. Each is as long as the mashup and aligned with it; together they sum to it. */
export type MashupStems =
  | { state: 'pending'; requestedAt: string }
  | {
      state: 'ready';
      madeAt: string;
      /** In hertz. */
      sampleRate: 44_100;
      /** Length of the mashup and of each stem, in samples of one channel. */
      totalFrames: number;
      /** The sample of the mashup at which each part ends. The same for all stems. */
      ends: number[];
      /** Level of the files against their level in the mashup: below 0 if a stem alone would be clipped. */
      levelDb: number;
      /** Level of the difference of the mashup and the sum of its stems, against the mashup. Null: not measured. */
      residualDb: number | null;
      files: MashupStemFile[];
    }
  | { state: 'failed'; code: string; message: string; hint: string | null };

/**
 * The finished beginning of a mashup that is being rendered, in parts that join exactly. Each part is a complete 16-bit stereo FLAC
 * file; part i holds the samples from the end of part i - 1 to `ends[i]`. Part 0 begins at sample 0.
 */
export interface PlayableAudio {
  /** Folder in the bucket. Part i is `<path>/<i>.flac`; `downloadPart` reads it. */
  path: string;
  /** In hertz. */
  sampleRate: 44_100;
  /** Planned length of the mashup in samples of one channel. */
  totalFrames: number;
  /** The sample of the mashup at which each uploaded part ends. */
  ends: number[];
}

/** The studio version: the mashup with stems of a separation model, made after the first result. */
export interface StudioVersion {
  /** `ready`: it is the result. `failed` (a warning says why) and `cancelled`: the first result stays. */
  state: 'separating' | 'rendering' | 'ready' | 'failed' | 'cancelled';
  /** Per cent, while it is being made. */
  progress?: number;
  /** The current step as text for users, while it is being made. */
  step?: string;
}

/** A job: one row of `mashup_jobs`. Times are ISO strings. */
export interface MashupJob {
  id: string;
  userId: string;
  stage: Stage;
  status: JobStatus;
  /** What the job waits for; null otherwise. */
  waitingOn: 'slot' | 'tasks' | 'circuit' | 'pause' | 'user' | null;
  /** Position among the waiting jobs, from 1. */
  queuePosition: number | null;
  /** 0..100 */
  progress: number;
  /** The current step, as text for users. */
  currentStep: string;
  /** Number of the run. A replay starts a new one. */
  epoch: number;
  /** Increases with each change of the row. */
  version: number;
  /** The stage in which the current run started. */
  entryStage: Stage;
  songs: JobSong[];
  options: MashupOptions;
  /** Mean score of the pairs, 0..100. */
  score: number | null;
  title: string | null;
  concept: string | null;
  planVersion: number | null;
  /** Path of the result in the bucket; null before the end and after it has expired. */
  resultPath: string | null;
  result: JobResult | null;
  /**
   * The parts that can be played already: of the opening while the rest of the songs is separated, and of the whole while it is rendered. Null
   * before the first one and in every other stage.
   */
  playable: PlayableAudio | null;
  /** The studio version of a complete job, which replaces its result. Null: there is none. */
  studioVersion: StudioVersion | null;
  errorCode: string | null;
  errorMessage: string | null;
  errorHint: string | null;
  failedTask: string | null;
  /** The stage in which the job failed or was cancelled. */
  stoppedStage: Stage | null;
  warnings: JobWarning[];
  /** Null while nobody knows: see `estimateNote`. */
  estimatedCompletionAt: string | null;
  /** Why the end cannot be estimated: a pause, or services that are not available and that the job still needs. Null: it can. */
  estimateNote: string | null;
  /** The mashup that this one iterates. */
  parentId: string | null;
  /** The first mashup of whose versions this one is, which may have been deleted; null for a first one itself. */
  firstId: string | null;
  /** The feedback that this iteration follows. */
  feedback: string | null;
  /** `planning`: a draft, which waits for `startMashup`. */
  hold: 'planning' | null;
  /** Whether the current run ignores cached analyses and stems. */
  fresh: boolean;
  admittedAt: string | null;
  idempotencyKey: string | null;
  requestHash: string | null;
  createdAt: string;
  queuedAt: string;
  stageEnteredAt: string;
  updatedAt: string;
  finishedAt: string | null;
  /** When the file of the result was deleted. */
  expiredAt: string | null;
  /** Why an operator has taken the mashup down; null if it was not. */
  takedownReason: string | null;
  /** Since when the mashup has a public link; null: it has none. */
  sharedAt: string | null;
  /** W3C trace context: spans of the job are children of this one. */
  traceparent: string;
}

/** Result of a submission and of the actions on a job. */
export interface Submission {
  jobId: string;
  stage: Stage;
  status: JobStatus;
  /** 0..100 */
  progress: number;
  /** Whether the idempotency key stood for this job already. */
  existing: boolean;
  queuePosition: number | null;
  estimatedCompletionAt: string | null;
  songsCount: number;
}

/** Result of `iterateMashup`. */
export interface Iteration {
  /** The new job: follow this one. */
  jobId: string;
  /** The mashup that is being changed. */
  parentId: string;
  /** Whether the idempotency key stood for this job already. */
  existing: boolean;
  estimatedCompletionAt: string | null;
}
