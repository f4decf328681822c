/** Reads a shared mashup from the Supabase project. */
import { readSharedMashup } from './shared-mashup.ts';
import type { SharedMashup } from './shared-mashup.ts';

/** What a link leads to. */
export type Share =
  | { state: 'shared'; mashup: SharedMashup }
  /** Unknown, revoked, taken down, switched off: not told apart. */
  | { state: 'missing' }
  /** Too many requests, or the project does not answer. */
  | { state: 'busy' | 'unavailable'; retryAfterSec: number };

/** How a project is asked. */
export interface ShareSource {
  url: string;
  apiKey: string | undefined;
  timeoutMs: number;
}

const DEFAULT_RETRY_SEC = 30;
const MAX_RETRY_SEC = 3600;

/** Returns the URL of a function of sharing for a token. */
export function functionUrl(supabaseUrl: string, name: string, token: string): string {
  return `${supabaseUrl}/functions/v1/${name}?token=${encodeURIComponent(token)}`;
}

/** Asks for the mashup of a token. It does not throw: a project that does not answer is `unavailable`. */
export async function readShare({ url, apiKey, timeoutMs }: ShareSource, token: string): Promise<Share> {
  try {
    const response = await fetch(functionUrl(url, 'shared-mashup', token), {
      headers: apiKey === undefined ? {} : { apikey: apiKey },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) {
      const mashup = readSharedMashup(await response.json());
      if (mashup !== undefined) return { state: 'shared', mashup };
    } else {
      await response.body?.cancel();
      if (response.status === 404) return { state: 'missing' };
      if (response.status === 429) return { state: 'busy', retryAfterSec: retryAfterOf(response) };
    }
    console.error(`share pages: the function shared-mashup answered ${response.status} without a mashup`);
  } catch (error) {
    console.error(`share pages: ${error instanceof Error ? error.message : 'the project cannot be reached'}`);
  }
  return { state: 'unavailable', retryAfterSec: DEFAULT_RETRY_SEC };
}

function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get('retry-after'));
  return seconds > 0 ? Math.min(Math.ceil(seconds), MAX_RETRY_SEC) : DEFAULT_RETRY_SEC;
}
