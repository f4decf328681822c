/**
 * What a worker hands over when it finishes a task: the documents that `mashup.finish_task` stores. SQL reads their members
 * by name, so each is checked before it is sent.
 */
import { z } from 'zod';
import { RENDER_WARNINGS } from './constants.ts';
import { RenderedStems } from './mashup-stems.ts';
import { SEPARATION_METHODS } from './database.ts';
import type { Separations } from './database.ts';
import type { PairScore, Plan, RenderResult, SongAnalysis } from './music.ts';
import { StemLayout, StoredStems } from './services.ts';
import { PlanEdit } from './edits.ts';
import { WishOutcome } from './wishes.ts';
import type { PlanOpening } from './stem-ranges.ts';
import type { TaskKind } from './stages.ts';

/** A document whose content its service's client has checked already; it may be megabytes. */
const checked = <T extends object>(): z.ZodType<T> =>
  z.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object');

/** An id of a cached row; `bigint` columns arrive as strings. */
const RowId = z.union([z.string().regex(/^\d+$/), z.number().int().positive()]);

/** Members that every result may have. */
const common = {
  /** Event of the job's history, as users read it. */
  message: z.string().optional(),
  /** Whether the service of the task answered: closes its circuit. Absent: yes. */
  service_used: z.boolean().optional(),
  /** Why the task did without its service, which answered: operators see it. */
  service_fault: z.string().optional(),
  /** Whether the result came from a cache: its duration is not measured then. Absent: no. */
  from_cache: z.boolean().optional(),
};

/** Result of an `analyze` task: a new analysis, or the id of a cached one. */
export const AnalyzeTaskResult = z
  .object({
    ...common,
    /** SHA-256 of the bytes of the file, hex. */
    content_hash: z.string().min(1),
    /** Version and origin of the analyser. */
    version: z.string().min(1),
    /** Figures for the song's card. */
    card: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
    /** Layout of the stems that fit the song. Absent: four stems. */
    stem_layout: StemLayout.optional(),
    analysis: checked<SongAnalysis>().optional(),
    analysis_id: RowId.optional(),
  })
  .refine((result) => result.analysis !== undefined || result.analysis_id !== undefined, {
    message: 'either analysis or analysis_id is required',
  });
export type AnalyzeTaskResult = z.infer<typeof AnalyzeTaskResult>;

/** Result of a `score` task. `warning`: why the scores were made without the service. */
export const ScoreTaskResult = z.object({
  ...common,
  pairs: z.array(checked<PairScore>()),
  warning: z.string().optional(),
});
export type ScoreTaskResult = z.infer<typeof ScoreTaskResult>;

/** Result of a `plan` task. `warning`: why the plan was made by rules. */
export const PlanTaskResult = z.object({
  ...common,
  plan: checked<Plan>(),
  source: z.enum(['claude', 'rules']),
  /** The songs that the plan uses. */
  song_ids: z.array(z.string()).min(1),
  /** The parts of them that it plays, by song; a song without an entry is needed whole. */
  ranges: z.record(z.string(), z.array(z.tuple([z.number(), z.number()])).min(1)).optional(),
  /** The first sections that can be rendered before the rest, and the parts of the songs that they play. */
  opening: checked<PlanOpening>().optional(),
  model: z.string().optional(),
  tokens: z.record(z.string(), z.number()).optional(),
  cost_usd: z.number().min(0).optional(),
  /** What is as it was asked for, or what changed, as users read it. */
  changes: z.string().optional(),
  /** What became of the wishes or the feedback. Absent: there were none. */
  wishes: WishOutcome.optional(),
  /** Which wordings the texts have. */
  wording: z.number().int().min(0).optional(),
  /** The edits by hand that made the plan. Absent: it was not edited. */
  edits: z.array(PlanEdit).optional(),
  warning: z.string().optional(),
  /** Why the mashup has another length than was asked for, in a sentence. */
  length_note: z.string().max(300).optional(),
});
export type PlanTaskResult = z.infer<typeof PlanTaskResult>;

/**
 * Result of a `separate` task: new stems below the claim's own prefix (`layout` absent: all four), or the id of cached ones. `replaces`:
 * the cached pieces of the song are lost.
 */
export const SeparateTaskResult = z.union([
  z.object({ ...common, stems_id: RowId }),
  z.object({
    ...common,
    model: z.string().min(1),
    method: z.enum(SEPARATION_METHODS).optional(),
    paths: StoredStems,
    layout: StemLayout.optional(),
    replaces: z.boolean().optional(),
    /** What the user has to know, for example that a model could not be used. */
    warnings: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
  }),
]);
export type SeparateTaskResult = z.infer<typeof SeparateTaskResult>;

/**
 * Result of a `render` task: a path below the claim's own prefix, the measurements of what is there, and what its user has to know,
 * most important first.
 */
export const RenderTaskResult = z.object({
  ...common,
  path: z.string().min(1),
  quality: checked<Partial<RenderResult>>(),
  warnings: z.array(z.object({ code: z.enum(RENDER_WARNINGS), message: z.string() })).optional(),
  /** Title and concept, as they fit what is heard. */
  title: z.string().optional(),
  concept: z.string().optional(),
  /** The plan as it was rendered. Absent: it is the stored one. */
  plan: checked<Plan>().optional(),
  /** What differs from the parent as it was rendered, as users read it. */
  changes: z.string().optional(),
  /** What separated each song that is heard, by song id. */
  separation: checked<Separations>().optional(),
  /** Folder of the playable parts that were published. */
  parts: z.string().optional(),
  /** The stems of each song that were rendered, for the stems of the mashup. */
  sources: z.record(z.string(), StoredStems).optional(),
});
export type RenderTaskResult = z.infer<typeof RenderTaskResult>;

/** Result of a `render_stems` task: the stems of the mashup `result_path`, in folders below the claim's own prefix. */
export const RenderStemsTaskResult = z.object({ ...common, result_path: z.string().min(1), stems: RenderedStems });
export type RenderStemsTaskResult = z.infer<typeof RenderStemsTaskResult>;

/** The result of each kind of task. */
export const TASK_RESULTS = {
  analyze: AnalyzeTaskResult,
  score: ScoreTaskResult,
  plan: PlanTaskResult,
  separate: SeparateTaskResult,
  render: RenderTaskResult,
  render_stems: RenderStemsTaskResult,
} satisfies Record<TaskKind, z.ZodType>;

/** The result of one kind of task. */
export type TaskResult<Kind extends TaskKind = TaskKind> = z.infer<(typeof TASK_RESULTS)[Kind]>;
