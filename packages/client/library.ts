/** The library of a user: mashups with their versions, searched and sorted by the database. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { rpc } from './calls.ts';
import type { MashupJob } from './types.ts';
import { toCamel, toSnake } from './wire.ts';

/** Which mashups are listed, and in which order. */
export interface MashupListOptions {
  /** Words that all occur in title, names and artists of the songs, wishes or feedback. Control characters separate words. */
  search?: string;
  /** `all` leaves drafts out. */
  state?: 'all' | 'complete' | 'processing' | 'failed' | 'cancelled' | 'draft';
  /** Order by the newest match of each group. */
  sort?: 'newest' | 'oldest' | 'title' | 'longest' | 'shortest';
  /** Id of the last group of the page before. */
  after?: string;
  /** Groups of a page, 1 to 100. Default: 20. */
  pageSize?: number;
}

/** A first mashup and its versions. */
export interface MashupGroup {
  /** Id of the first mashup, which may have been deleted. */
  id: string;
  /** Ids of the versions that match, newest first. */
  matched: string[];
  /** All versions, oldest first. */
  mashups: MashupJob[];
}

/** A page of a list. */
export interface MashupList {
  /** Groups and mashups that match, on all pages. */
  groupsFound: number;
  mashupsFound: number;
  groups: MashupGroup[];
}

/** Reads a page of the mashups of the user who is signed in. @throws MashupClientError */
export async function listMashups(supabase: SupabaseClient, options: MashupListOptions = {}): Promise<MashupList> {
  const search = options.search?.replace(/[\p{Cc}\p{Cs}]+/gu, ' ');
  return toCamel(await rpc<object>(supabase, 'list_mashups', toSnake({ ...options, search }))) as MashupList;
}
