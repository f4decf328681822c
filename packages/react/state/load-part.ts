/** Loads parts of a mashup that is being rendered, on an unreliable network too. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { downloadPart, MashupClientError } from '@mashup-engine/client';
import type { LoadPart } from '../audio/playback/parts.ts';
import { retryUntilDone } from './retry-until-done.ts';

/** Time limit of one attempt in milliseconds: parts have several megabytes. */
const ATTEMPT_MS = 60_000;

/**
 * Returns a function that downloads a part, again and again until it succeeds, is gone or is stopped.
 * It throws MashupClientError `part_gone`.
 */
export function partLoader(supabase: SupabaseClient): LoadPart {
  return (playable, index, signal) =>
    new Promise((resolve, reject) => {
      const stop = retryUntilDone(async (isWanted, attempt) => {
        try {
          const bytes = await downloadPart(supabase, playable, index, { signal: attempt });
          if (isWanted()) resolve(bytes);
          return true;
        } catch (error) {
          if (!(error instanceof MashupClientError) || error.code !== 'part_gone') return false;
          reject(error);
          return true;
        }
      }, ATTEMPT_MS);
      signal.addEventListener('abort', () => {
        stop();
        reject(signal.reason as Error);
      });
    });
}
