/**
 * Messages between the worker and the five audio services.
 *
 * Requests are what this project sends: the contract's members and extra members that only the built-in services read
 * (signed URLs, names, limits). Other services ignore unknown members. Responses are read leniently: numbers are coerced,
 * unknown members are kept, and members that some services leave out have a default.
 */
import { z } from 'zod';
import { STEM_PART_BYTES } from './constants.ts';
import {
  Masterplan,
  SongRoles,
  OutputFormat,
  PairScore,
  OwnStem,
  RenderResult,
  ScoreWeights,
  SeparationChoice,
  SongAnalysis,
  Stem,
} from './music.ts';
import { Wish } from './wishes.ts';
import { MAX_PLAYABLE_PARTS, PlayableAudio } from './playable.ts';

/** Names of the five services. */
export const SERVICES = ['analysis', 'processing', 'scoring', 'orchestrator', 'separation'] as const;
export const ServiceName = z.enum(SERVICES).describe('Name of a service.');
export type ServiceName = z.infer<typeof ServiceName>;

/** Everything that has a circuit breaker: the five audio services, and Storage. */
export const CIRCUITS = [...SERVICES, 'storage'] as const;
export type CircuitName = (typeof CIRCUITS)[number];

/** Default port, URL variable and path of each service. */
export const SERVICE_DEFAULTS: Record<ServiceName, { port: number; urlVariable: string; path: string }> = {
  analysis: { port: 8000, urlVariable: 'ANALYSIS_API_URL', path: '/analyze' },
  processing: { port: 8001, urlVariable: 'PROCESSING_API_URL', path: '/execute-masterplan' },
  scoring: { port: 8002, urlVariable: 'SCORING_API_URL', path: '/calculate-mashability' },
  orchestrator: { port: 8003, urlVariable: 'ORCHESTRATOR_API_URL', path: '/create-masterplan' },
  separation: { port: 8004, urlVariable: 'SEPARATION_API_URL', path: '/separate' },
};

/** Path of the rendering service that renders only the opening of a mashup. Other renderers need not have it. */
export const OPENING_PATH = '/open-masterplan';

/** Value of a service's own token variable: no token is sent to it. */
const NO_TOKEN = 'none';

/** Name of the variable with the token of one service, for example `SEPARATION_API_TOKEN`. */
export function tokenVariable(service: ServiceName): string {
  return `${service.toUpperCase()}_API_TOKEN`;
}

/** Returns the token that callers send to a service: its own, otherwise the token of all services. `none` means no token. */
export function serviceToken(service: ServiceName, environment: Readonly<Record<string, unknown>>): string | undefined {
  const own = environment[tokenVariable(service)];
  if (own === NO_TOKEN) return undefined;
  const token = own || environment['SERVICES_TOKEN'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

export const SeparationModels = z
  .object({
    classical: z.string().describe('Model of separations with `method: "classical"`.'),
    neural: z.string().nullable().describe('Model of separations with `method: "neural"`; null if there is none.'),
    used: z.string().describe('Model of separations with `method: "auto"`: one of the two.'),
    fault: z
      .object({ code: z.string(), message: z.string(), hint: z.string() })
      .optional()
      .describe('Why the model that the service is set to cannot be used.'),
  })
  .describe('Models of the separation service, as its responses name them.');
export type SeparationModels = z.infer<typeof SeparationModels>;

export const HealthResponse = z
  .object({
    status: z.literal('ok'),
    service: ServiceName,
    version: z.string().describe('Version of the service. Analyses of another version are not reused.'),
    models: SeparationModels.optional().describe('Separation service only. The models may change while it runs.'),
  })
  .describe('Response to `GET /health` of a built-in service.');
export type HealthResponse = z.infer<typeof HealthResponse>;

export const ServiceErrorBody = z
  .object({
    detail: z
      .union([
        z.string(),
        z.array(
          z.looseObject({
            type: z.string().optional().describe('Kind of the fault, for example `missing`.'),
            loc: z
              .array(z.union([z.string(), z.number()]))
              .optional()
              .describe('Path of the invalid field, beginning with `body`.'),
            msg: z.string().optional().describe('What is wrong with the field.'),
          }),
        ),
      ])
      .describe('A sentence, or for a 422 an array with one entry per invalid field.'),
    code: z
      .string()
      .optional()
      .describe('Built-in services only. One of the audio error codes, or a code of the service.'),
    hint: z.string().optional().describe('Built-in services only. What to do next, in one sentence.'),
  })
  .describe('Body of every response of a service that is not 2xx.');
export type ServiceErrorBody = z.infer<typeof ServiceErrorBody>;

/** Codes of the faults of an audio file. Each has its own message and hint. */
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
  'own_stems_mismatch',
] as const;
export type AudioErrorCode = (typeof AUDIO_ERROR_CODES)[number];

// --- analysis ------------------------------------------------------------------------------------------------------

export const AnalyzeRequest = z
  .object({
    song_id: z.string().min(1).describe('Returned as `songId`.'),
    songId: z.string().optional().describe('Spelling of older services. The current ones ignore it.'),
    file_url: z.string().nullish().describe('http or https URL of the file. Used if both sources are given.'),
    file_urls: z
      .array(z.string())
      .min(1)
      .max(4)
      .optional()
      .describe('URLs of files whose sum is the song, used before `file_url`. Built-in service only.'),
    audio_data: z.string().nullish().describe('The file in base64, without a `data:` prefix.'),
  })
  .describe('A song to analyse, by `file_url` or `audio_data`.');
export type AnalyzeRequest = z.infer<typeof AnalyzeRequest>;

export const AnalyzeResponse = z
  .object({ success: z.literal(true), songId: z.string(), analysis: SongAnalysis })
  .describe('The full analysis of the built-in service in the envelope of the contract.');
export type AnalyzeResponse = z.infer<typeof AnalyzeResponse>;

// --- scoring -------------------------------------------------------------------------------------------------------

export const ScoringRequest = z
  .object({
    song1_analysis: z.looseObject({}).describe('A `SongAnalysis`, or any part of one. May carry a `song_id`.'),
    song2_analysis: z.looseObject({}).describe('As `song1_analysis`.'),
    user_weights: ScoreWeights.partial().nullish(),
  })
  .describe('Two songs to compare.');
export type ScoringRequest = z.infer<typeof ScoringRequest>;

export const ScoringResponse = PairScore.omit({ score: true, source: true })
  .extend({ overall_score: PairScore.shape.score.describe('Weighted mean of the dimension scores.') })
  .describe('The scores of the contract and, as extra members of the built-in service, `raw_score` and `phrases`.');
export type ScoringResponse = z.infer<typeof ScoringResponse>;

// --- orchestrator --------------------------------------------------------------------------------------------------

export const PlanningSong = z
  .looseObject({
    song_id: z.string(),
    name: z.string(),
    artist: z.string(),
    duration_sec: z.number().positive().nullable(),
  })
  .describe('Summary of a song for the planner: a few kilobytes, without matrices.');
export type PlanningSong = z.infer<typeof PlanningSong>;

export const PlanLimits = z
  .object({
    min_length_sec: z.number().positive(),
    max_length_sec: z.number().positive(),
    stems: z.array(Stem).describe('Stems that the plan may use. Empty: all.'),
  })
  .describe('Limits that a plan must keep.');
export type PlanLimits = z.infer<typeof PlanLimits>;

export const PlanRequest = z
  .object({
    song1_analysis: z
      .looseObject({})
      .describe('Analysis of the first song, with optional `song_id`, `name`, `artist`.'),
    song2_analysis: z.looseObject({}).describe('As `song1_analysis`.'),
    mashability_score: z.looseObject({}).describe('Score of the pair.'),
    user_preferences: z
      .looseObject({})
      .default({})
      .describe('May carry `wishes` (a text) and `additional_songs` (a third song).'),
    mashup: z
      .object({
        songs: z
          .array(z.object({ song_id: z.string(), name: z.string(), artist: z.string(), analysis: SongAnalysis }))
          .min(2)
          .max(3),
        scores: z.array(PairScore),
        limits: PlanLimits,
        seed: z.number().int().describe('The rule-based planner returns the same plan for the same input and seed.'),
        length_sec: z.number().positive().optional().describe('Wanted length. Default: chosen within the limits.'),
        wishes: z.string().optional().describe("The user's wishes, as text."),
        roles: SongRoles.optional().describe('First plan only: which song sings, which one plays.'),
        previous: z
          .object({ creative_vision: z.string(), masterplan: Masterplan })
          .optional()
          .describe('Iteration only: the plan to revise.'),
        feedback: z.string().optional().describe("Iteration only: the user's feedback about `previous`."),
        faults: z
          .array(z.string())
          .default([])
          .describe('Faults that the checks found in the previous response. The next plan must correct them.'),
      })
      .optional()
      .describe('The whole brief, for the built-in service. It replaces the pairwise members.'),
  })
  .describe('Songs to plan a mashup for: the pairwise body of the contract, or `mashup`.');
export type PlanRequest = z.infer<typeof PlanRequest>;

export const PlanResponse = z
  .looseObject({
    creative_vision: z.string().min(1).describe('The idea of the mashup in two or three sentences.'),
    masterplan: z
      .looseObject({})
      .describe('The arrangement. Untrusted until it has passed the checks of `music/plan`.'),
    source: z.enum(['claude', 'rules']).default('claude'),
    model: z.string().optional().describe('Model that wrote the plan.'),
    changes: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .catch(undefined)
      .describe('What is as it was asked for, or what changed, in sentences.'),
    cannot: z
      .array(z.string())
      .optional()
      .catch(undefined)
      .describe('Wishes that the plan does not fulfil, in sentences with the reason.'),
    understood: z
      .array(Wish)
      .optional()
      .catch(undefined)
      .describe('The wishes that were read in `wishes` or `feedback`.'),
    not_understood: z
      .array(z.string())
      .optional()
      .catch(undefined)
      .describe('The other parts of `wishes` or `feedback`, quoted.'),
    usage: z
      .object({ input_tokens: z.number(), output_tokens: z.number(), cost_usd: z.number() })
      .partial()
      .optional()
      .describe('Tokens of the call and its cost by list prices.'),
  })
  .describe('A plan, with what was read in the wishes or the feedback and what became of it.');
export type PlanResponse = z.infer<typeof PlanResponse>;

export const PlanEvent = z
  .union([
    z.looseObject({ message: z.string() }).describe('Progress.'),
    PlanResponse,
    z
      .looseObject({
        error: z.string(),
        status: z.number().int().describe('Status that the error has without `Accept: text/event-stream`.'),
        code: z.string().optional(),
        hint: z.string().optional(),
        retry_after_sec: z.number().optional().describe('Seconds to wait before the next call.'),
      })
      .describe('Failure.'),
  ])
  .describe(
    'One event of planning with `Accept: text/event-stream`. A plan or an error is the terminal event of the stream.',
  );
export type PlanEvent = z.infer<typeof PlanEvent>;

// --- separation ----------------------------------------------------------------------------------------------------

export const UploadTarget = z
  .object({
    path: z.string().min(1).describe("The object's path in the bucket."),
    url: z.string().min(1).describe('Signed URL. The service sends the file with PUT.'),
    renewal: z
      .object({ url: z.string(), task_id: z.string(), claim: z.string() })
      .optional()
      .describe(
        'The URL may expire before it is used: POST `{task_id, claim, path}` to `url` returns `{token}`, its new token.',
      ),
  })
  .describe('Where a built-in service uploads a file.');
export type UploadTarget = z.infer<typeof UploadTarget>;

const StemUpload = UploadTarget.extend({
  parts: z
    .array(UploadTarget)
    .optional()
    .describe('Where the parts of the stem go, in order. The service uploads FLAC to as many of them as it needs.'),
}).describe('Where a service uploads a stem: one WAV file to `url`, or FLAC to `parts`.');

export const StemLayout = z
  .enum(['voices_only', 'no_drums'])
  .describe(
    'For a song that has not all four stems. `voices_only`: all of its sound is vocals. `no_drums`: it has no beat, and what would be drums and bass is other.',
  );
export type StemLayout = z.infer<typeof StemLayout>;

export const TimeRange = z
  .object({ start_sec: z.number().min(0), end_sec: z.number().positive() })
  .refine(({ start_sec, end_sec }) => end_sec > start_sec, 'A range ends after its start.')
  .describe('A part of a song, in seconds of the song.');
export type TimeRange = z.infer<typeof TimeRange>;

/** Model of stems that a user gave. What separated the missing ones follows behind a `+`. */
export const OWN_MODEL = 'own';

export const SeparateRequest = z
  .object({
    audio_url: z.string().min(1).describe('http or https URL of the song.'),
    job_id: z.string().min(1).describe('Path below `stems/`: segments of letters, digits, `-` and `_`.'),
    uploads: z
      .object({ vocals: StemUpload, drums: StemUpload, bass: StemUpload, other: StemUpload })
      .optional()
      .describe('Built-in service only, which requires it.'),
    part_bytes: z
      .number()
      .int()
      .min(1_000_000)
      .default(STEM_PART_BYTES)
      .describe('Size of the largest part of a stem, in bytes.'),
    layout: StemLayout.optional(),
    method: SeparationChoice.default('auto').describe('Built-in service only.'),
    duration_sec: z.number().positive().optional().describe('Length of the song, for the progress.'),
    own_stems: z
      .object({
        urls: z
          .partialRecord(OwnStem, z.string().min(1))
          .refine((urls) => Object.keys(urls).length > 0, 'own_stems needs at least one URL.')
          .describe('http or https URLs of the stems that the user gave.'),
        has_song: z.boolean().describe('Whether `audio_url` is the song; otherwise the song is the sum of the stems.'),
      })
      .optional()
      .describe(
        'Stems of the user: used as they are, and only the missing ones are separated. The `model` of the response is then `own`, or `own+` and the model that separated the rest. Built-in service only.',
      ),
    ranges: z
      .array(TimeRange)
      .min(1)
      .max(200)
      .optional()
      .describe(
        'The parts of the song that are needed, ascending and without overlaps. The built-in service then uploads FLAC to `parts` and responds with `pieces`; a service that does not know ranges separates the whole song. Absent: the whole song.',
      ),
  })
  .describe('A song, or parts of it, to separate into stems.');
export type SeparateRequest = z.infer<typeof SeparateRequest>;

/** One file, or the files of consecutive parts. */
const inParts = (file: z.ZodString) => z.union([file, z.array(file).min(1).max(1000)]);

const StemPath = inParts(z.string()).describe('Path of a stem in the bucket, or the paths of its parts in order.');
export type StemPath = z.infer<typeof StemPath>;

export const StemPaths = z
  .object({ vocals: StemPath, drums: StemPath, bass: StemPath, other: StemPath })
  .describe("Paths of a song's four stems in the bucket.");
export type StemPaths = z.infer<typeof StemPaths>;

export const StemPiece = z
  .object({ start_sec: z.number().min(0), end_sec: z.number().positive(), ...StemPaths.shape })
  .describe('The stems of a part of a song: their files begin at `start_sec` and end at `end_sec`, or with the song.');
export type StemPiece = z.infer<typeof StemPiece>;

export const StoredStems = z
  .union([z.object({ pieces: z.array(StemPiece).min(1) }), StemPaths])
  .describe('Stems of a song in the bucket: whole, or in pieces, ascending by their starts.');
export type StoredStems = z.infer<typeof StoredStems>;

export const SeparateResponse = z
  .looseObject({
    success: z.literal(true),
    job_id: z.string(),
    model: z.string().optional().describe('What separated the song. Stems are cached by it.'),
    warnings: z
      .array(z.string())
      .optional()
      .describe('What the user is told, for example that a model could not be used.'),
    stems: StemPaths.optional().describe('The stems of the whole song.'),
    pieces: z
      .array(StemPiece)
      .min(1)
      .optional()
      .describe('The stems of parts that contain the requested `ranges`, ascending and without overlaps.'),
  })
  .refine(({ stems, pieces }) => stems !== undefined || pieces !== undefined, 'There are neither stems nor pieces.')
  .describe('The uploaded stems: of the whole song, or of parts of it.');
export type SeparateResponse = z.infer<typeof SeparateResponse>;

// --- processing ----------------------------------------------------------------------------------------------------

export const StemUrls = z
  .union([
    inParts(z.string()),
    z
      .array(
        z.object({
          start_sec: z.number().min(0),
          end_sec: z.number().positive(),
          urls: z.array(z.string()).min(1).max(1000),
        }),
      )
      .min(1)
      .max(1000),
  ])
  .describe(
    'One URL, the URLs of consecutive parts, or pieces of the stem in order of their starts: the files of a piece begin at its `start_sec`.',
  );
export type StemUrls = z.infer<typeof StemUrls>;

export const SongRange = z
  .object({ song_id: z.string(), start_sec: z.number().min(0), end_sec: z.number().positive() })
  .describe('A part of one of the songs, in seconds of the song.');
export type SongRange = z.infer<typeof SongRange>;

const RenderOpening = z
  .object({
    key: z
      .string()
      .min(1)
      .max(300)
      .describe('Names the opening: the same for all requests of a user with the same songs and the same beginning.'),
    sections: z.number().int().positive().describe('Number of sections, from the first one on.'),
  })
  .describe(
    'Built-in service only. Its first sections may have been rendered before, by `POST /open-masterplan` with the same key: then they are used as they are, if the songs are tuned as they were.',
  );

export const RenderRequest = z
  .object({
    masterplan: z
      .looseObject({
        timeline: z.array(z.looseObject({})).describe('Sections of the plan.'),
        global_settings: z.looseObject({}).default({}).describe("The plan's `global`."),
        title: z.string().optional(),
        artistCredits: z.string().optional(),
      })
      .describe('The plan, with `timeline` at the top.'),
    songs: z.array(
      z.looseObject({
        song_id: z.string(),
        storage_path: z.string().describe('Path of the upload in the bucket.'),
        analysis: z
          .looseObject({})
          .describe('A `SongAnalysis`, or `{}`: then the built-in renderer analyses the beat grid.'),
        stems: z
          .partialRecord(Stem, StemUrls)
          .optional()
          .describe('Built-in service only, which requires it: the signed download URLs of each stem.'),
        name: z.string().optional(),
        artist: z.string().optional(),
      }),
    ),
    job_id: z.string().min(1),
    scores: z
      .array(PairScore)
      .optional()
      .describe('Scores of the pairs. Layers without `source_start_sec` start at the best phrases.'),
    format: OutputFormat.default('wav'),
    upload: UploadTarget.optional().describe('Built-in service only, which requires it.'),
    max_bytes: z.number().int().positive().optional().describe('Size of the largest file that Storage accepts.'),
    smaller: UploadTarget.extend({ format: OutputFormat })
      .optional()
      .describe('Format and target of the mashup if its file would be larger than `max_bytes`.'),
    parts: z
      .object({
        path: z.string().min(1).describe('Folder of the parts in the bucket.'),
        uploads: z.array(UploadTarget).min(1).max(MAX_PLAYABLE_PARTS).describe('Targets of part 0, 1 and so on.'),
      })
      .optional()
      .describe('Where the finished beginning goes while the mashup is rendered. Absent: it is not published.'),
    opening: RenderOpening.optional(),
  })
  .describe('A plan and its songs to render.');
export type RenderRequest = z.infer<typeof RenderRequest>;

export const RenderEvent = z
  .union([
    z
      .looseObject({
        error: z.string(),
        code: z.string().optional(),
        missing: z
          .array(SongRange)
          .optional()
          .describe('With code `stems_missing`: what the plan plays of songs and their pieces do not hold.'),
      })
      .describe('Failure.'),
    z
      .looseObject({
        progress: z.coerce.number(),
        message: z.string().default(''),
        storage_path: z.string().describe('Path of the mashup in the bucket.'),
        result: RenderResult.optional(),
      })
      .describe('Success.'),
    z
      .looseObject({
        progress: z.coerce.number().describe('0 to 100.'),
        message: z.string().default(''),
        playable: PlayableAudio.optional().describe('All parts that are uploaded so far.'),
      })
      .describe('Progress.'),
    z.looseObject({ warning: z.string() }).describe('A warning of another service.'),
  ])
  .describe(
    'One event of rendering. The terminal event has `storage_path` or `error`. A stream without one has failed.',
  );
export type RenderEvent = z.infer<typeof RenderEvent>;
