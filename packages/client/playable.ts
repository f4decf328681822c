/** The playable parts of a mashup that is being rendered. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { BUCKET } from '../../schema/constants.ts';
import type { CallOptions } from './calls.ts';
import { MashupClientError } from './errors.ts';
import type { PlayableAudio } from './types.ts';

/**
 * Downloads a part: a complete FLAC file.
 * @param index number of the part, from 0
 * @throws MashupClientError `part_gone` if the file does not exist (any more), `unreachable` otherwise; the reason of the signal
 */
export async function downloadPart(
  supabase: SupabaseClient,
  playable: Pick<PlayableAudio, 'path'>,
  index: number,
  { signal }: CallOptions = {},
): Promise<ArrayBuffer> {
  const { data, error } = await supabase.storage
    .from(BUCKET)
    .download(`${playable.path}/${index}.flac`, {}, { signal });
  if (error === null) return data.arrayBuffer();
  signal?.throwIfAborted();
  // Storage answers 400 for a missing file and names 404 in the body.
  const { status, statusCode } = error as { status?: number; statusCode?: string };
  if (status === 404 || statusCode === '404') {
    throw new MashupClientError('part_gone', 'This part of the sound is no longer there.', {
      hint: 'Wait for the finished mashup, or reload the page.',
      status: 404,
      cause: error,
    });
  }
  throw new MashupClientError('unreachable', 'The sound cannot be loaded.', {
    hint: 'Check the connection. It is tried again by itself.',
    status: status ?? 0,
    cause: error,
  });
}
