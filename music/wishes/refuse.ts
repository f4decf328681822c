/** Whether anything in a text can be a wish, before the songs are analysed. */
import type { Reading, WishSong } from '../../schema.ts';
import { readWishes } from './read-wishes.ts';

/** What a user can ask for, for messages about texts that are not understood. At most 300 characters: a job's hint. */
export const WHAT_CAN_BE_ASKED =
  'You can ask for: which song sings or plays; a quiet start; an earlier drop; longer, shorter or 2:30; faster, slower or 120 bpm; ' +
  'a key; more, less or no vocals, drums, bass or instruments; effects; smoother transitions; more or fewer sections; more energy; swapped songs; another version.';

/** Values for songs whose tempo and key are not known yet: any will do. */
const ANY = { bpm: 120, key: 'C major' } as const;

/** Why a text must not start a mashup, in words. */
export interface Refusal {
  message: string;
  /** The parts of the text. */
  parts: readonly string[];
  /** Which parts are not understood, and which contradict each other, quoted. */
  details: string;
  hint: string;
}

const inQuotes = (parts: readonly string[]): string => parts.map((part) => `"${part}"`).join(', ');

/**
 * Returns why a text is refused of which no part can be understood; undefined otherwise. What is not known of the songs yet is taken
 * as it suits: each in turn may be the only one with a voice.
 */
export function refusalOf(text: string, songs: readonly WishSong[]): Refusal | undefined {
  const known = songs.map((song) => ({ ...ANY, ...song }));
  const isUnknown = known.some((song) => song.has_vocals === undefined);
  const guesses = isUnknown
    ? known.map((_, singer) =>
        known.map((song, index) => ({ ...song, has_vocals: song.has_vocals ?? index === singer })),
      )
    : [known];
  let last: Reading | undefined;
  for (const guess of guesses) {
    const reading = readWishes(text, guess);
    if (reading.understood.length > 0 || reading.not_understood.length === 0) return undefined;
    last = reading;
  }
  return last && describeRefusal(last);
}

/** Says of a reading without wishes why it has none: nothing was understood, or what was understood excludes itself. */
export function describeRefusal({ not_understood, contradictory = [] }: Reading): Refusal {
  const others = not_understood.filter((part) => !contradictory.includes(part));
  const details = [
    ...(others.length > 0 ? [`Not understood: ${inQuotes(others)}.`] : []),
    ...(contradictory.length > 0 ? [`Contradictory: ${inQuotes(contradictory)}.`] : []),
  ].join(' ');
  return contradictory.length > 0 && others.length === 0
    ? { message: 'These wishes contradict each other', parts: contradictory, details, hint: 'Ask for one of them.' }
    : { message: 'Nothing of this was understood', parts: not_understood, details, hint: WHAT_CAN_BE_ASKED };
}
