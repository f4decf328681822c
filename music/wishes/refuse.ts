/** Whether anything in a text can be a wish, before the songs are analysed. */
import type { WishSong } from '../../schema.ts';
import { readWishes } from './read-wishes.ts';

/** What a user can ask for, for messages about texts that are not understood. At most 300 characters: a job's hint. */
export const WHAT_CAN_BE_ASKED =
  'You can ask for: which song sings or plays; a quiet start; an earlier drop; longer, shorter or 2:30; faster, slower or 120 bpm; ' +
  'a key; more, less or no vocals, drums, bass or instruments; effects; smoother transitions; more or fewer sections; more energy; swapped songs; another version.';

/** Values for songs whose tempo and key are not known yet: any will do. */
const ANY = { bpm: 120, key: 'C major' } as const;

/**
 * Returns the parts of a text, quoted, if no part of it can be understood; an empty list otherwise. What is not known of the songs
 * yet is taken as it suits: each in turn may be the only one with a voice.
 */
export function unreadable(text: string, songs: readonly WishSong[]): string[] {
  const known = songs.map((song) => ({ ...ANY, ...song }));
  const isUnknown = known.some((song) => song.has_vocals === undefined);
  const guesses = isUnknown
    ? known.map((_, singer) =>
        known.map((song, index) => ({ ...song, has_vocals: song.has_vocals ?? index === singer })),
      )
    : [known];
  let parts: string[] = [];
  for (const guess of guesses) {
    const { understood, not_understood } = readWishes(text, guess);
    if (understood.length > 0 || not_understood.length === 0) return [];
    parts = not_understood;
  }
  return parts;
}
