/** Checks the body of generate-mashup. */
import { GenerateMashupRequest, MAX_SONGS, MIN_SONGS, SubmittedSong } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { concerns, describeIssues, membersOf } from '../_shared/validation.ts';

/**
 * Checks in the order of the contract, so that the first error text is one that existing screens know.
 * @throws ApiError 400
 */
export function parseRequest(body: unknown): GenerateMashupRequest {
  const { songs, hold } = membersOf(body);
  if (!Array.isArray(songs)) {
    throw new ApiError(400, 'invalid_songs', 'Invalid songs data', {
      hint: 'Send songs as [{song_id, name, artist, storage_path}].',
      details: 'songs must be a list.',
    });
  }
  checkSongCount(songs.length, hold === 'planning' ? 1 : MIN_SONGS);
  checkSongs(songs);
  const parsed = GenerateMashupRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const message = concerns(parsed.error, 'options') ? 'Invalid options' : 'Invalid request body';
  throw new ApiError(400, 'invalid_request', message, {
    hint: 'options: format (wav, flac, mp3), length (short, full), length_sec (20-600), wishes (up to 500 characters). hold: "planning" or absent.',
    details: describeIssues(parsed.error),
  });
}

function checkSongCount(count: number, least: number): void {
  if (count < least) {
    throw new ApiError(400, 'too_few_songs', 'Insufficient songs', {
      hint: 'Add another song.',
      details: `At least ${least} songs are required; the request has ${count}.`,
    });
  }
  if (count > MAX_SONGS) {
    throw new ApiError(400, 'too_many_songs', 'Too many songs', {
      hint: 'Remove some songs.',
      details: `At most ${MAX_SONGS} songs are allowed; the request has ${count}.`,
    });
  }
}

function checkSongs(songs: unknown[]): void {
  const faults = songs.flatMap((song, index) => {
    const parsed = SubmittedSong.safeParse(song);
    if (parsed.success) return [];
    const members = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? 'object')))];
    return [`Song ${index + 1}: missing or invalid ${members.join(', ')}`];
  });
  if (faults.length === 0) return;
  throw new ApiError(400, 'invalid_song', 'Invalid song data', {
    hint: 'Each song needs song_id (letters, digits, - and _), name, and the storage_path from create-signed-upload. stems: the paths of some of vocals, drums, bass, other, instrumental.',
    details: faults.join('; '),
  });
}
