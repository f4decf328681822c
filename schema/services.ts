/**
 * Messages between the worker and the five audio services.
 *
 * Requests are what this project sends: the contract's members plus extra members that only the built-in services read
 * (signed URLs, names, limits); other services ignore unknown members. Answers are read leniently: numbers are coerced,
 * unknown members are kept, and what a service is known to leave out has a default.
 */
import { z } from 'zod';
import { Masterplan, OutputFormat, PairScore, RenderResult, ScoreWeights, SongAnalysis, Stem } from './music.ts';

export const SERVICES = ['analysis', 'processing', 'scoring', 'orchestrator', 'separation'] as const;
export const ServiceName = z.enum(SERVICES);
export type ServiceName = z.infer<typeof ServiceName>;

/** Default port and URL variable of each service. */
export const SERVICE_DEFAULTS: Record<ServiceName, { port: number; urlVariable: string; path: string }> = {
  analysis: { port: 8000, urlVariable: 'ANALYSIS_API_URL', path: '/analyze' },
  processing: { port: 8001, urlVariable: 'PROCESSING_API_URL', path: '/execute-masterplan' },
  scoring: { port: 8002, urlVariable: 'SCORING_API_URL', path: '/calculate-mashability' },
  orchestrator: { port: 8003, urlVariable: 'ORCHESTRATOR_API_URL', path: '/create-masterplan' },
  separation: { port: 8004, urlVariable: 'SEPARATION_API_URL', path: '/separate' },
};

/** `GET /health` of a built-in service. */
export const HealthAnswer = z.object({ status: z.literal('ok'), service: ServiceName, version: z.string() });
export type HealthAnswer = z.infer<typeof HealthAnswer>;

/** Every service's error body: `detail` is a sentence, or an array with one entry for each invalid field (422). */
export const ServiceErrorBody = z.object({
  detail: z.union([
    z.string(),
    z.array(z.looseObject({ loc: z.array(z.union([z.string(), z.number()])).optional(), msg: z.string().optional() })),
  ]),
  /** Built-in services add a code of `AUDIO_ERROR_CODES` and a hint to a 4xx. */
  code: z.string().optional(),
  hint: z.string().optional(),
});
export type ServiceErrorBody = z.infer<typeof ServiceErrorBody>;

/** What can be wrong with an audio file; each has its own message and hint. */
export const AUDIO_ERROR_CODES = [
  'audio_unsupported_format',
  'audio_empty',
  'audio_damaged',
  'audio_truncated',
  'audio_silent',
  'audio_too_short',
  'audio_too_long',
  'audio_too_large',
  'audio_needs_ffmpeg',
] as const;
export type AudioErrorCode = (typeof AUDIO_ERROR_CODES)[number];

// --- analysis ------------------------------------------------------------------------------------------------------

export const AnalyzeRequest = z.object({
  song_id: z.string().min(1),
  /** The spelling of older generations; ignored by the current one. */
  songId: z.string().optional(),
  file_url: z.string().nullish(),
  audio_data: z.string().nullish(),
});
export type AnalyzeRequest = z.infer<typeof AnalyzeRequest>;

/** Answer of the built-in analysis: the contract's envelope around the full analysis. */
export const AnalyzeAnswer = z.object({ success: z.literal(true), songId: z.string(), analysis: SongAnalysis });
export type AnalyzeAnswer = z.infer<typeof AnalyzeAnswer>;

// --- scoring -------------------------------------------------------------------------------------------------------

/** What scoring needs of a song; a `SongAnalysis` fits. */
export const ScoringRequest = z.object({
  song1_analysis: z.looseObject({}),
  song2_analysis: z.looseObject({}),
  user_weights: ScoreWeights.partial().nullish(),
});
export type ScoringRequest = z.infer<typeof ScoringRequest>;

// --- orchestrator --------------------------------------------------------------------------------------------------

/** A song as it is described to the producer: no matrices, a few kilobytes. */
export const PlanningSong = z.looseObject({
  song_id: z.string(),
  name: z.string(),
  artist: z.string(),
  duration_sec: z.number().positive().nullable(),
});
export type PlanningSong = z.infer<typeof PlanningSong>;

/** Limits that a plan must keep. */
export const PlanLimits = z.object({
  min_length_sec: z.number().positive(),
  max_length_sec: z.number().positive(),
  stems: z.array(Stem),
});
export type PlanLimits = z.infer<typeof PlanLimits>;

/**
 * The contract's pairwise body; `mashup` carries the whole brief (all songs with their full analyses, all pair scores,
 * limits, wishes, earlier plan, faults found in an earlier answer) for services that read it.
 */
export const PlanRequest = z.object({
  song1_analysis: z.looseObject({}),
  song2_analysis: z.looseObject({}),
  mashability_score: z.looseObject({}),
  user_preferences: z.looseObject({}).default({}),
  mashup: z
    .object({
      songs: z
        .array(z.object({ song_id: z.string(), name: z.string(), artist: z.string(), analysis: SongAnalysis }))
        .min(2)
        .max(3),
      scores: z.array(PairScore),
      limits: PlanLimits,
      seed: z.number().int(),
      length_sec: z.number().positive().optional(),
      wishes: z.string().optional(),
      /** Iteration: the plan to revise and the user's words about it. */
      previous: z.object({ creative_vision: z.string(), masterplan: Masterplan }).optional(),
      feedback: z.string().optional(),
      /** Faults that the checks found in the last answer, to be mended in the next. */
      faults: z.array(z.string()).default([]),
    })
    .optional(),
});
export type PlanRequest = z.infer<typeof PlanRequest>;

/** Answer of planning, before the checks of `music/` have judged it: `masterplan` is untrusted. */
export const PlanAnswer = z.looseObject({
  creative_vision: z.string().min(1),
  masterplan: z.looseObject({}),
  source: z.enum(['claude', 'rules']).default('claude'),
  model: z.string().optional(),
  usage: z.object({ input_tokens: z.number(), output_tokens: z.number(), cost_usd: z.number() }).partial().optional(),
});
export type PlanAnswer = z.infer<typeof PlanAnswer>;

// --- separation ----------------------------------------------------------------------------------------------------

/** Where a built-in service puts a file: `PUT url` with the bytes; `path` is the object's path in the bucket. */
export const UploadTarget = z.object({ path: z.string().min(1), url: z.string().min(1) });
export type UploadTarget = z.infer<typeof UploadTarget>;

export const SeparateRequest = z.object({
  audio_url: z.string().min(1),
  /** Path below `stems/`; segments of letters, digits, `-` and `_`. */
  job_id: z.string().min(1),
  /** Built-in service only, and required by it. */
  uploads: z.object({ vocals: UploadTarget, drums: UploadTarget, bass: UploadTarget, other: UploadTarget }).optional(),
});
export type SeparateRequest = z.infer<typeof SeparateRequest>;

export const StemPaths = z.object({ vocals: z.string(), drums: z.string(), bass: z.string(), other: z.string() });
export type StemPaths = z.infer<typeof StemPaths>;

export const SeparateAnswer = z.looseObject({ success: z.literal(true), job_id: z.string(), stems: StemPaths });
export type SeparateAnswer = z.infer<typeof SeparateAnswer>;

// --- processing ----------------------------------------------------------------------------------------------------

export const RenderRequest = z.object({
  /** Flattened plan: `timeline` on top, `global_settings` is the plan's `global`. */
  masterplan: z.looseObject({
    timeline: z.array(z.looseObject({})),
    global_settings: z.looseObject({}).default({}),
    title: z.string().optional(),
    artistCredits: z.string().optional(),
  }),
  songs: z.array(
    z.looseObject({
      song_id: z.string(),
      storage_path: z.string(),
      /** A `SongAnalysis`, or `{}`: the built-in renderer then analyses the beat grid itself. */
      analysis: z.looseObject({}),
      /** Built-in service only, and required by it: signed download URL of each stem. */
      stems: z.partialRecord(Stem, z.string()).optional(),
      name: z.string().optional(),
      artist: z.string().optional(),
    }),
  ),
  job_id: z.string().min(1),
  /** Pair scores with their best phrases, for layers that name no `source_start_sec`. */
  scores: z.array(PairScore).optional(),
  format: OutputFormat.default('wav'),
  upload: UploadTarget.optional(),
});
export type RenderRequest = z.infer<typeof RenderRequest>;

/** One SSE event of rendering. Exactly one terminal event (with `storage_path` or `error`) ends a whole stream. */
export const RenderEvent = z.union([
  z.looseObject({ error: z.string(), code: z.string().optional() }),
  z.looseObject({
    progress: z.coerce.number(),
    message: z.string().default(''),
    storage_path: z.string(),
    result: RenderResult.optional(),
  }),
  z.looseObject({ progress: z.coerce.number(), message: z.string().default('') }),
  z.looseObject({ warning: z.string() }),
]);
export type RenderEvent = z.infer<typeof RenderEvent>;
