/** Submits a mashup, or with `hold: "planning"` a draft. The work is the workers'; this answers at once. */
import { GenerateMashupRequest, MAX_SONGS, MIN_SONGS, SubmittedSong, Submission } from '../../../schema/api.ts';
import type { GenerateMashupAnswer } from '../../../schema/api.ts';
import { concerns, faultsOf, idempotencyKeyOf, readJson } from '../_shared/body.ts';
import { requireUser } from '../_shared/caller.ts';
import { remainingText } from '../_shared/durations.ts';
import { answer, ApiError, serve } from '../_shared/http.ts';
import { callFunction } from '../_shared/rpc.ts';

const FAILURE = 'Failed to initialize mashup job';

serve({ failure: FAILURE }, async (request) => {
  const { supabase } = await requireUser(request);
  const submitted = parseRequest(await readJson(request));
  const submission = await callFunction(
    supabase,
    'submit_mashup',
    {
      songs: submitted.songs,
      options: submitted.options ?? {},
      hold: submitted.hold ?? null,
      idempotency_key: idempotencyKeyOf(request, submitted.idempotency_key) ?? null,
    },
    Submission,
    FAILURE,
  );
  return answer(describe(submission, submitted.hold === 'planning'));
});

/** Checks in the contract's order, so that the first text is the one that its screens know. */
function parseRequest(body: unknown): GenerateMashupRequest {
  const songs: unknown = typeof body === 'object' && body !== null && 'songs' in body ? body.songs : undefined;
  if (!Array.isArray(songs)) {
    throw new ApiError(400, 'invalid_songs', 'Invalid songs data', {
      hint: 'Send songs as [{song_id, name, artist, storage_path}].',
      details: 'songs must be a list.',
    });
  }
  const isDraft = (body as { hold?: unknown }).hold === 'planning';
  const least = isDraft ? 1 : MIN_SONGS;
  if (songs.length < least) {
    throw new ApiError(400, 'too_few_songs', 'Insufficient songs', {
      hint: 'Add another song.',
      details: `At least ${least} songs are needed; ${songs.length} given.`,
    });
  }
  if (songs.length > MAX_SONGS) {
    throw new ApiError(400, 'too_many_songs', 'Too many songs', {
      hint: 'Leave some out.',
      details: `At most ${MAX_SONGS} songs are taken; ${songs.length} given.`,
    });
  }
  const faults = songs.flatMap((song: unknown, index) => {
    const parsed = SubmittedSong.safeParse(song);
    if (parsed.success) return [];
    const members = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? 'object')))];
    return [`Song ${index + 1}: missing or invalid ${members.join(', ')}`];
  });
  if (faults.length > 0) {
    throw new ApiError(400, 'invalid_song', 'Invalid song data', {
      hint: 'Each song needs song_id (letters, digits, - and _), name, and storage_path as create-signed-upload gave it.',
      details: faults.join('; '),
    });
  }
  const parsed = GenerateMashupRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ApiError(
    400,
    'invalid_request',
    concerns(parsed.error, 'options') ? 'Invalid options' : 'Invalid request body',
    {
      hint: 'options: format (wav, flac, mp3), length_sec (20-600), wishes (up to 500 characters). hold: "planning" or absent.',
      details: faultsOf(parsed.error),
    },
  );
}

function describe(submission: Submission, isDraft: boolean): GenerateMashupAnswer {
  const { estimated_completion_at: end } = submission;
  const seconds = end === null ? undefined : (Date.parse(end) - Date.now()) / 1000;
  const message = submission.existing
    ? 'This request was taken before; here is its mashup.'
    : isDraft
      ? 'Your songs are being analysed. Start the mashup when you are ready.'
      : submission.queue_position !== null && submission.queue_position > 1
        ? `Your mashup waits for a free slot (place ${submission.queue_position}).`
        : 'Your mashup is on its way.';
  return {
    success: true,
    jobId: submission.job_id,
    message,
    // Cancelled is failed to screens that know three states.
    status: submission.status === 'cancelled' ? 'failed' : submission.status,
    progress: submission.progress,
    estimated_duration: seconds === undefined ? 'unknown' : `about ${remainingText(seconds)}`,
    songs_count: submission.songs_count,
    stage: submission.stage,
    queue_position: submission.queue_position,
    estimated_completion_at: end,
    existing: submission.existing,
  };
}
