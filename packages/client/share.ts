/** Public links of mashups: whoever has the link reads and hears the mashup without an account. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { MashupShare as WireShare, OwnShare } from '../../schema/api.ts';
import { rpc } from './calls.ts';
import { fromDatabaseError } from './errors.ts';
import { toCamel, toSnake } from './wire.ts';

/** The public link of a mashup. */
export interface MashupShare {
  /** The secret of the link: `shareLinks` makes its addresses. */
  token: string;
  /** When the link was made. */
  createdAt: string;
}

/** The public link of a mashup as its owner reads it. */
export interface ShareState {
  /** Null: an operator has taken the link down, and the mashup cannot be shared. */
  token: string | null;
  createdAt: string;
  /** Why an operator has taken the link down; null if it was not. */
  reason: string | null;
}

/** The addresses of a shared mashup. */
export interface ShareLinks {
  /** The page. */
  page: string;
  /** The player for frames. */
  embed: string;
  /** HTML of a frame with the player. */
  embedCode: string;
}

/** Height of the embedded player in CSS pixels. Its width is that of the frame. */
const EMBED_HEIGHT = 180;

/**
 * Makes the public link of a complete mashup, or returns the one that it has. It serves the current result until it is revoked.
 * @throws MashupClientError `sharing_disabled`, `taken_down`, `missing_input` without a result, `rate_limited`
 */
export async function shareMashup(supabase: SupabaseClient, jobId: string): Promise<MashupShare> {
  return toCamel(await rpc<WireShare>(supabase, 'share_mashup', toSnake({ pJobId: jobId })));
}

/**
 * Revokes the public link of a mashup: it leads nowhere from then on, and a later link is another one. Returns false if there is none.
 * @throws MashupClientError
 */
export function unshareMashup(supabase: SupabaseClient, jobId: string): Promise<boolean> {
  return rpc<boolean>(supabase, 'unshare_mashup', toSnake({ pJobId: jobId }));
}

/** Reads the public link of a mashup of the user; null if it has none. @throws MashupClientError */
export async function readShare(supabase: SupabaseClient, jobId: string): Promise<ShareState | null> {
  const { data, error, status } = await supabase
    .from('mashup_shares')
    .select('token, created_at, taken_down_at, reason')
    .eq('job_id', jobId)
    .is('revoked_at', null)
    .maybeSingle<OwnShare & { taken_down_at: string | null }>();
  if (error) throw fromDatabaseError(error, status);
  if (data === null) return null;
  const { token, created_at, taken_down_at, reason } = data;
  return { token: taken_down_at === null ? token : null, createdAt: created_at, reason };
}

/**
 * Returns the addresses of a shared mashup.
 * @param siteUrl URL of the site whose host serves the pages (`createSharePages`), with or without a slash at its end
 */
export function shareLinks(siteUrl: string, token: string): ShareLinks {
  const site = siteUrl.replace(/\/+$/, '');
  const embed = `${site}/embed/${token}`;
  return {
    page: `${site}/s/${token}`,
    embed,
    embedCode: `<iframe src="${embed}" width="100%" height="${EMBED_HEIGHT}" style="border:0" title="Mashup player" loading="lazy"></iframe>`,
  };
}
