/** Refuses wishes and feedback of which nothing is understood, before any work starts. */
import { WHAT_CAN_BE_ASKED, unreadable } from '../../../music/wishes/refuse.ts';
import { ApiError } from './api-error.ts';
import { areWishesReadByRules } from './environment.ts';

/** A song as far as it is known: its analysis may come later. */
type NamedSong = { song_id: string; name: string; artist?: string | null };

/**
 * Checks a text of the user against the songs by name. With a language model as planner, only the planner reads it.
 * @throws ApiError 422 `wish_not_understood`
 */
export function refuseUnreadText(text: string | undefined, songs: readonly NamedSong[]): void {
  if (!text || !areWishesReadByRules()) return;
  const parts = unreadable(
    text,
    songs.map(({ song_id, name, artist }) => ({ song_id, name, artist: artist ?? '' })),
  );
  if (parts.length === 0) return;
  throw new ApiError(422, 'wish_not_understood', 'Nothing of this was understood', {
    hint: WHAT_CAN_BE_ASKED,
    details: `Not understood: ${parts.map((part) => `"${part}"`).join(', ')}.`,
  });
}
