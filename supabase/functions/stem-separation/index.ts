/**
 * The renderer's call for a song's stems: serves what the job's separation has cached. It separates nothing itself: a
 * function may not run for the minutes that takes, and the job has done it before it renders.
 */
import { CachedStems, StemRequest } from '../../../schema/api.ts';
import type { StemAnswer } from '../../../schema/api.ts';
import { faultsOf, readJson } from '../_shared/body.ts';
import { requireUserOrService } from '../_shared/caller.ts';
import { answer, ApiError, serve } from '../_shared/http.ts';
import { callFunction } from '../_shared/rpc.ts';

const FAILURE = 'Failed to separate stems';

serve({ failure: FAILURE }, async (request) => {
  const { supabase } = await requireUserOrService(request);
  const parsed = StemRequest.safeParse(await readJson(request));
  if (!parsed.success) {
    throw new ApiError(400, 'invalid_request', FAILURE, {
      hint: 'Send {audio_url, job_id}; job_id is <job> or <job>/<song>.',
      details: faultsOf(parsed.error),
    });
  }
  const { audio_url, job_id } = parsed.data;
  const [jobId = '', songId] = job_id.split('/');
  const songs = await callFunction(supabase, 'get_mashup_stems', { job_id: jobId }, CachedStems, FAILURE);
  const song =
    songId === undefined
      ? songs.find(({ path }) => namesObject(audio_url, path))
      : songs.find(({ song_id }) => song_id === songId);
  if (song === undefined) {
    throw new ApiError(404, 'song_not_found', FAILURE, {
      hint: "Send job_id as <job>/<song>, or the URL of one of the job's own uploads.",
      details: 'The job has no such song.',
    });
  }
  if (song.paths === null) {
    throw new ApiError(409, 'stems_not_ready', FAILURE, {
      hint: 'Wait until the job has separated its songs, or replay it from separating.',
      details: 'There are no stems of this song yet.',
      retryAfterSec: 10,
    });
  }
  const body: StemAnswer = { success: true, job_id, stems: song.paths };
  return answer(body);
});

/** Whether a Storage URL is that of an object, signed or not. */
function namesObject(url: string, path: string): boolean {
  try {
    return decodeURIComponent(new URL(url).pathname).endsWith(`/${path}`);
  } catch {
    return false;
  }
}
