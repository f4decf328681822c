/** The messages between the render's main thread and its worker threads. */
import type { Correction } from '../corrections/correction.ts';
import type { PhraseTask } from '../corrections/phrase-candidates.ts';
import type { BusPartTask, BusResult, BusTask, ResidualTask } from '../delivery/buses.ts';
import type { FinishSteps } from '../delivery/finish.ts';
import type { GainTask } from '../delivery/master.ts';
import type { RenderErrorCode } from '../errors.ts';
import type { StemSource } from '../files/read-stem.ts';
import type { StemAnalysis } from '../song/analyze-stems.ts';
import type { DrumTask, MeasuredDrums } from '../song/measure-drums.ts';
import type { SectionResult, SectionTask } from '../sound/section.ts';
import type { LoadedStem, StemTask } from '../sound/stem.ts';
import type { RunTask } from '../sound/stretch-run.ts';

/** The jobs of a thread. Inputs and outputs can be cloned or shared between threads. */
type ThreadJobs = {
  /** Analyses a song from its stems. */
  analyze: { input: StemSource[]; output: StemAnalysis };
  /** Measures the onsets and the level of a drum stem. */
  drums: { input: DrumTask; output: MeasuredDrums };
  /** Finds other phrases for voices that do not fit. */
  phrases: { input: PhraseTask; output: Correction | undefined };
  /** Decodes parts of a stem. */
  stem: { input: StemTask; output: LoadedStem };
  /** Stretches a run. */
  run: { input: RunTask; output: void };
  /** Renders a section. */
  section: { input: SectionTask; output: SectionResult };
  /** Mixes the sections. */
  mix: FinishJob<'mix'>;
  /** Finds the gains with which a mix is mastered. */
  gains: { input: GainTask; output: Float32Array<SharedArrayBuffer> };
  /** Makes one stem of the mashup. */
  bus: { input: BusTask; output: BusResult };
  /** Encodes a part of a stem of the mashup. */
  busPart: { input: BusPartTask; output: Uint8Array<ArrayBuffer> };
  /** Compares a mashup with the sum of its stems. */
  residual: { input: ResidualTask; output: number };
  /** Hears the key of the mix. */
  hear: FinishJob<'hear'>;
  /** Masters the mix. */
  master: FinishJob<'master'>;
  /** Encodes the mashup or a part of it. */
  encode: FinishJob<'encode'>;
  /** Measures what is delivered. */
  measure: FinishJob<'measure'>;
};

type FinishJob<K extends keyof FinishSteps> = {
  input: Parameters<FinishSteps[K]>[0];
  output: Awaited<ReturnType<FinishSteps[K]>>;
};

export type JobKind = keyof ThreadJobs;
export type JobInput<K extends JobKind> = ThreadJobs[K]['input'];
export type JobOutput<K extends JobKind> = ThreadJobs[K]['output'];

/** A job for a thread. */
export type JobMessage = { [K in JobKind]: { kind: K; input: JobInput<K> } }[JobKind];

/** A `RenderError`, or another error without code and hint, in a form that can be cloned. */
export type ErrorMessage = { message: string; code?: RenderErrorCode; hint?: string };

/** What a thread sends back. */
export type ThreadMessage = { kind: 'done'; output: unknown } | { kind: 'failed'; error: ErrorMessage };
