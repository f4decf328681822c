/**
 * Requests and responses of the edge functions.
 *
 * Requests are read leniently: unknown members, which older frontends send, are ignored. The functions run in Deno: this
 * file and its imports depend on zod only.
 */
import { z } from 'zod';
import { PlanEdits } from './edits.ts';
import { MashupOptions, OutputFormat, OwnStem, PlanLayer, PlanSection } from './music.ts';
import { StemPaths, StoredStems } from './services.ts';

export { BUCKET, MAX_SONGS, MIN_SONGS, UPLOAD_EXTENSIONS, UPLOAD_MAX_BYTES } from './constants.ts';

/** A song's id: safe in paths. */
export const SongId = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const JobId = z.guid();
/** Requests with the same key return the same job. */
const IdempotencyKey = z.string().min(1).max(200);

/** Body of every response that is not 2xx. `code` is for programs, `error` and `hint` for people. */
export const ErrorBody = z.object({
  error: z.string(),
  code: z.string(),
  hint: z.string(),
  details: z.string().nullable(),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

// --- generate-mashup -----------------------------------------------------------------------------------------------

const UploadPath = z.string().min(3).max(300).includes('/');

export const SubmittedSong = z
  .object({
    song_id: SongId,
    name: z.string().trim().min(1).max(300),
    artist: z.string().max(300).nullish(),
    storage_path: UploadPath.optional().describe(
      'As `create-signed-upload` gave it. Absent: the song is the sum of its `stems`.',
    ),
    stems: z
      .partialRecord(OwnStem, UploadPath)
      .nullish()
      .describe(
        'Stems of one’s own, as `create-signed-upload` gave their paths. Stems that are missing are separated.',
      ),
  })
  .refine(({ storage_path, stems }) => storage_path || Object.keys(stems ?? {}).length > 0, {
    path: ['storage_path'],
    error: 'storage_path or stems are required',
  })
  .refine(({ stems }) => !stems?.instrumental || !(stems.drums && stems.bass && stems.other), {
    path: ['stems'],
    error: 'an instrumental beside drums, bass and other is too much',
  });
export type SubmittedSong = z.infer<typeof SubmittedSong>;

/** Options of a submission. All are optional and have no defaults here. */
export const SubmittedOptions = z.object({
  format: OutputFormat.optional(),
  length: MashupOptions.shape.length,
  length_sec: MashupOptions.shape.length_sec,
  wishes: MashupOptions.shape.wishes,
  roles: MashupOptions.shape.roles,
  separation: MashupOptions.shape.separation,
  studio_version: MashupOptions.shape.studio_version,
});
export type SubmittedOptions = z.infer<typeof SubmittedOptions>;

export const GenerateMashupRequest = z.object({
  songs: z.array(SubmittedSong),
  options: SubmittedOptions.nullish(),
  hold: z.literal('planning').nullish().describe('`planning`: analyse and score, then wait for `start_mashup`.'),
  idempotency_key: IdempotencyKey.nullish().describe('Or as header `Idempotency-Key`.'),
});
export type GenerateMashupRequest = z.infer<typeof GenerateMashupRequest>;

/** Result of `submit_mashup` and of the actions on a job. */
export const Submission = z.object({
  job_id: z.string(),
  stage: z.string(),
  status: z.enum(['processing', 'complete', 'failed', 'cancelled']),
  progress: z.number(),
  existing: z.boolean(),
  queue_position: z.number().nullable(),
  estimated_completion_at: z.string().nullable(),
  songs_count: z.number(),
});
export type Submission = z.infer<typeof Submission>;

export const GenerateMashupAnswer = z.object({
  success: z.literal(true),
  jobId: z.string(),
  message: z.string(),
  status: z.string(),
  progress: z.number(),
  estimated_duration: z.string(),
  songs_count: z.number(),
  stage: z.string(),
  queue_position: z.number().nullable(),
  estimated_completion_at: z.string().nullable(),
  existing: z.boolean().describe('True when the idempotency key stood for this job already.'),
  wishes_read_by: z
    .enum(['rules', 'planner'])
    .describe('Who decides whether wishes are understood: the rules, at once, or a language model when it plans.'),
});
export type GenerateMashupAnswer = z.infer<typeof GenerateMashupAnswer>;

// --- get-mashup-status ---------------------------------------------------------------------------------------------

export const StatusRequest = z.object({ jobId: JobId });
export type StatusRequest = z.infer<typeof StatusRequest>;

export const STATUS_ERROR_TYPES = [
  'network_error',
  'audio_format_error',
  'service_error',
  'processing_error',
  'unknown_error',
  'validation_error',
  'job_not_found',
  'system_error',
  'cancelled',
] as const;
export const StatusErrorDetails = z.object({
  type: z.enum(STATUS_ERROR_TYPES),
  recoverable: z.boolean(),
  suggested_action: z.string(),
});
export type StatusErrorDetails = z.infer<typeof StatusErrorDetails>;

/** The part of the result of `get_mashup` that the status needs. */
export const MashupDocument = z.looseObject({
  id: z.string(),
  stage: z.string(),
  status: z.enum(['processing', 'complete', 'failed', 'cancelled']),
  progress: z.number(),
  current_step: z.string(),
  songs: z.array(z.looseObject({ song_id: z.string(), state: z.string(), analysis_id: z.number().nullish() })),
  score: z.number().nullable(),
  title: z.string().nullable(),
  concept: z.string().nullable(),
  result_path: z.string().nullable(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  error_hint: z.string().nullable(),
  estimated_completion_at: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  finished_at: z.string().nullable(),
  plan: z
    .looseObject({
      creative_vision: z.string(),
      masterplan: z.looseObject({ title: z.string(), timeline: z.array(z.looseObject({})) }),
    })
    .nullable(),
  server_now: z.string(),
});
export type MashupDocument = z.infer<typeof MashupDocument>;

export const StatusAnswer = z.looseObject({
  jobId: z.string(),
  status: z.enum(['processing', 'complete', 'failed']),
  progress: z.number(),
  currentStep: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  processing_time_elapsed: z.string().describe('`2h 3m 4s`, `3m 4s` or `4s`; stands still after the end.'),
  estimated_completion: z.string().optional().describe('Remaining time: `1 minute`, `1 hour 5 minutes`.'),
  error_message: z.string().optional(),
  error_code: z.string().optional(),
  error_details: StatusErrorDetails.optional(),
  result_url: z.string().optional().describe('Path in the bucket.'),
  title: z.string().optional(),
  concept: z.string().optional(),
  timeline: z
    .array(z.looseObject({}))
    .optional()
    .describe('Sections with the members that timeline components draw beside those of the plan.'),
  masterplan: z.looseObject({}).optional(),
  metadata: z.object({
    songs_count: z.number(),
    analyses_completed: z.number(),
    mashability_scores_count: z.number(),
    has_masterplan: z.boolean(),
  }),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;

/** Error body of get-mashup-status: the common one, with the members that older screens read. */
export const StatusErrorBody = ErrorBody.extend({ message: z.string(), error_details: StatusErrorDetails });
export type StatusErrorBody = z.infer<typeof StatusErrorBody>;

// --- create-signed-upload ------------------------------------------------------------------------------------------

export const SignedUploadRequest = z.object({
  songId: SongId,
  fileName: z.string().min(1).max(500),
  fileSize: z.number().nonnegative().nullish(),
  contentType: z.string().max(200).nullish(),
  stem: OwnStem.nullish().describe('For a stem of one’s own: which one of the song.'),
});
export type SignedUploadRequest = z.infer<typeof SignedUploadRequest>;

export const SignedUploadAnswer = z.object({ path: z.string(), signedUrl: z.string(), token: z.string() });
export type SignedUploadAnswer = z.infer<typeof SignedUploadAnswer>;

// --- renew-upload --------------------------------------------------------------------------------------------------

export const RenewUploadRequest = z.object({
  task_id: z.string().regex(/^\d{1,19}$/),
  claim: z.guid().describe('The claim of the task: the credential.'),
  path: z.string().min(1).max(300).describe('Path of the object, below the output path of the claim.'),
});
export type RenewUploadRequest = z.infer<typeof RenewUploadRequest>;

export const RenewUploadAnswer = z.object({
  path: z.string(),
  token: z.string().describe('New token of the signed upload URL of the path.'),
});
export type RenewUploadAnswer = z.infer<typeof RenewUploadAnswer>;

// --- claude-mashup-iteration ---------------------------------------------------------------------------------------

/** Plan, songs and analyses, which older screens send too, are ignored: the job has its own. */
export const IterationRequest = z.object({
  jobId: JobId,
  userFeedback: z.string().trim().min(1).max(1000),
  options: SubmittedOptions.nullish(),
  idempotency_key: IdempotencyKey.nullish(),
});
export type IterationRequest = z.infer<typeof IterationRequest>;

export const IterationAnswer = z.looseObject({
  success: z.literal(true),
  jobId: z.string().describe('The new job: follow this one.'),
  parent_id: z.string().describe('The mashup that is being changed.'),
  existing: z.boolean().describe('True when the idempotency key belongs to this job already.'),
  estimated_completion_at: z.string().nullable(),
  title: z.string().nullable(),
  concept: z.string().nullable(),
  timeline: z.array(z.looseObject({})),
});
export type IterationAnswer = z.infer<typeof IterationAnswer>;

// --- edit-mashup ---------------------------------------------------------------------------------------------------

export const EditRequest = z.object({
  jobId: JobId,
  plan_version: PlanEdits.shape.plan_version,
  edits: PlanEdits.shape.edits,
  idempotency_key: IdempotencyKey.nullish(),
});
export type EditRequest = z.infer<typeof EditRequest>;

export const EditAnswer = z.object({
  success: z.literal(true),
  jobId: z.string().describe('The new job: follow this one.'),
  parent_id: z.string().describe('The mashup that was edited.'),
  existing: z.boolean().describe('True when the idempotency key belongs to this job already.'),
  estimated_completion_at: z.string().nullable(),
});
export type EditAnswer = z.infer<typeof EditAnswer>;

// --- stem-separation -----------------------------------------------------------------------------------------------

export const StemRequest = z.object({
  audio_url: z.string().min(1).max(4000),
  job_id: z
    .string()
    .regex(/^[0-9a-fA-F-]{36}(\/[a-zA-Z0-9_-]{1,64})?$/)
    .describe('`<job>` or `<job>/<song>`; with the job alone the song is the one whose object `audio_url` names.'),
  parts: z
    .boolean()
    .default(false)
    .describe('Whether the caller joins the parts of a stem. Without it stems in several parts are refused.'),
});
export type StemRequest = z.infer<typeof StemRequest>;

/** Result of `get_mashup_stems`: one entry per song of the job. `paths` is null if no stems are cached. */
export const CachedStems = z.array(z.object({ song_id: z.string(), path: z.string(), paths: StoredStems.nullable() }));
export type CachedStems = z.infer<typeof CachedStems>;

export const StemAnswer = z.object({ success: z.literal(true), job_id: z.string(), stems: StemPaths });
export type StemAnswer = z.infer<typeof StemAnswer>;

// --- shared-mashup, shared-cover, shared-audio ---------------------------------------------------------------------

/** Token of a public link: 144 random bits, base64url. */
export const ShareToken = z.string().regex(/^[A-Za-z0-9_-]{24}$/);

/** Query of the functions that read a public link. They take GET and HEAD, and no account. */
export const SharedRequest = z.object({ token: ShareToken });
export type SharedRequest = z.infer<typeof SharedRequest>;

/** A section of a shared mashup: the members of a plan's section that `MashupTimeline` draws. */
export const SharedSection = PlanSection.omit({ layers: true }).extend({
  layers: z.array(PlanLayer.omit({ why: true, source_start_sec: true })),
});
export type SharedSection = z.infer<typeof SharedSection>;

/** What `shared-mashup` returns: all that the public reads of a mashup. */
export const SharedMashup = z.object({
  title: z.string(),
  credits: z
    .array(
      z.object({
        songId: z.string().describe('As in the layers of the timeline: `song-1`, `song-2`, `song-3`.'),
        name: z.string(),
        artist: z.string(),
      }),
    )
    .describe('The songs that are heard, in the order of their colours.'),
  duration_sec: z.number().positive(),
  bpm: z.number().nullable(),
  key: z.string().nullable(),
  format: OutputFormat.nullable().describe('Format of the file that `shared-audio` leads to.'),
  created_at: z.string().describe('When the result was made.'),
  timeline: z.array(SharedSection),
  peaks: z.array(z.number()).describe('Waveform: at most 600 peak magnitudes, 0 to 1; none if it is not known.'),
});
export type SharedMashup = z.infer<typeof SharedMashup>;

/** Part `cover` of `read_share`: what the picture is drawn from. */
export const SharedCover = z.object({
  duration_sec: z.number().positive(),
  timeline: z.array(SharedSection),
  songs: z
    .array(z.object({ songId: z.string(), energy: z.number().nullish(), peaks: z.array(z.number()) }))
    .describe('Waveforms or energy of the songs: at most 200 mean values; none of a song whose analysis has expired.'),
});
export type SharedCover = z.infer<typeof SharedCover>;

/** Part `audio` of `read_share`: for the function only. */
export const SharedAudio = z.object({ path: z.string() });

/** Result of `share_mashup`. The link is made from the address of the site: `<site>/s/<token>`. */
export const MashupShare = z.object({ token: ShareToken, created_at: z.string() });
export type MashupShare = z.infer<typeof MashupShare>;

/** Member `share` of `get_mashup`: the live link, or one that an operator took down: `token` is null, `reason` says why. */
export interface OwnShare {
  token: string | null;
  created_at: string;
  reason: string | null;
}

// --- delete-account ------------------------------------------------------------------------------------------------

export const DeleteAccountRequest = z.object({
  confirm: z.literal('delete my account').describe('Confirms that all mashups and files of the account are deleted.'),
});
export type DeleteAccountRequest = z.infer<typeof DeleteAccountRequest>;

export const DeleteAccountAnswer = z.object({ success: z.literal(true) });
export type DeleteAccountAnswer = z.infer<typeof DeleteAccountAnswer>;

// --- export_account ------------------------------------------------------------------------------------------------

/** A page of `public.export_account`. */
export interface AccountPage {
  account: { id: string; email: string | null; created_at: string };
  mashups: Record<string, unknown>[];
  analyses: Record<string, unknown>[];
  files: { path: string; bytes: number | null; created_at: string }[];
  /** The `after` of the next page; null on the last one. */
  next: string | null;
}
