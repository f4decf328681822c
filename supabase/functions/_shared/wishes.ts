/** Refuses wishes and feedback of which nothing is understood, or that would change nothing, before any work starts. */
import { fulfilledWishes } from '../../../music/revision/fulfilled.ts';
import { refusalOf } from '../../../music/wishes/refuse.ts';
import { Plan } from '../../../schema/music.ts';
import { ApiError } from './api-error.ts';
import { areWishesReadByRules } from './environment.ts';

/** A song as far as it is known: its analysis may come later. */
type NamedSong = { song_id: string; name: string; artist?: string | null };

const toWishSongs = (songs: readonly NamedSong[]) =>
  songs.map(({ song_id, name, artist }) => ({ song_id, name, artist: artist ?? '' }));

/**
 * Checks a text of the user against the songs by name. With a language model as planner, only the planner reads it.
 * @throws ApiError 422 `wish_not_understood`
 */
export function refuseUnreadText(text: string | undefined, songs: readonly NamedSong[]): void {
  if (!text || !areWishesReadByRules()) return;
  const refusal = refusalOf(text, toWishSongs(songs));
  if (refusal) throw new ApiError(422, 'wish_not_understood', refusal.message, refusal);
}

/**
 * Checks feedback against the plan of a complete mashup: if all that it asks for is so already, or if it asks for nothing, no new
 * version is made.
 * @throws ApiError 422 `wish_changes_nothing`
 */
export function refuseFulfilledText(text: string, songs: readonly NamedSong[], plan: unknown): void {
  const known = Plan.safeParse(plan);
  if (!known.success || !areWishesReadByRules()) return;
  const wishes = fulfilledWishes(text, toWishSongs(songs), known.data);
  if (wishes === undefined) return;
  throw new ApiError(422, 'wish_changes_nothing', 'Nothing would change', {
    hint: 'Ask for something that is different.',
    details:
      wishes.length > 0 ? `The mashup is like this already: ${wishes.join('; ')}.` : 'The text asks for nothing.',
  });
}
