/**
 * Returns the cached stems of a song to the renderer. It separates nothing: separation takes minutes, longer than a
 * function may run, and the job has separated its songs before it renders.
 */
import { CachedStems, StemRequest } from '../../../schema/api.ts';
import type { StemAnswer } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUserOrService } from '../_shared/caller.ts';
import { callFunction } from '../_shared/rpc.ts';
import { describeIssues } from '../_shared/validation.ts';

const FAILURE = 'Failed to separate stems';

const app = createFunctionApp(
  { failure: FAILURE, authenticate: requireUserOrService },
  async ({ caller, body }): Promise<StemAnswer> => {
    const { audio_url, job_id, parts } = parseRequest(body);
    const [jobId = '', songId] = job_id.split('/');
    const songs = await callFunction(caller.supabase, 'get_mashup_stems', { job_id: jobId }, CachedStems, FAILURE);
    const song = songs.find(({ song_id, path }) =>
      songId === undefined ? namesObject(audio_url, path) : song_id === songId,
    );
    if (song === undefined) {
      throw new ApiError(404, 'song_not_found', FAILURE, {
        hint: "Send job_id as <job>/<song>, or the URL of one of the job's own uploads.",
        details: 'The job has no such song.',
      });
    }
    if (song.paths === null) {
      throw new ApiError(409, 'stems_not_ready', FAILURE, {
        hint: 'Wait until the job has separated its songs, or replay it from separating.',
        details: 'This song has no stems yet.',
        retryAfterSec: 10,
      });
    }
    if ('pieces' in song.paths) {
      throw new ApiError(409, 'stems_in_pieces', FAILURE, {
        hint: 'Set separate_early to "always" if an external service renders, and replay the job from separating.',
        details: 'Only what the plan plays of this song was separated.',
      });
    }
    if (!parts && Object.values(song.paths).some((path) => typeof path !== 'string')) {
      throw new ApiError(409, 'stems_in_parts', FAILURE, {
        hint: 'Send "parts": true, and join the FLAC files of each stem in their order.',
        details: 'A stem of this song is in several files, because one would be too large for Storage.',
      });
    }
    return { success: true, job_id, stems: song.paths };
  },
);

Deno.serve(app.fetch);

function parseRequest(body: unknown): StemRequest {
  const parsed = StemRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ApiError(400, 'invalid_request', FAILURE, {
    hint: 'Send {audio_url, job_id}; job_id is <job> or <job>/<song>.',
    details: describeIssues(parsed.error),
  });
}

/** Whether a Storage URL, signed or not, names an object. */
function namesObject(url: string, path: string): boolean {
  try {
    return decodeURIComponent(new URL(url).pathname).endsWith(`/${path}`);
  } catch {
    return false;
  }
}
