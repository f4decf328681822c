/** Small parts of sentences about a mashup. */
import type { AnalyzedSong, PlanLayer, Stem } from '../../schema.ts';
import { shortenText } from '../plan/text.ts';
import { isSingular, STEM_NAMES } from '../theory/stem-texts.ts';

/** What texts need to know of a song. */
export type NamedSong = Pick<AnalyzedSong, 'song_id' | 'name'>;

const MAX_NAME_LENGTH = 60;

/** Returns the name of a song in quotes. A song that is not in the list is named by its id. */
export function quoteName(songs: readonly NamedSong[], songId: string): string {
  const name = shortenText(songs.find((song) => song.song_id === songId)?.name ?? songId, MAX_NAME_LENGTH);
  return `"${name || 'Untitled'}"`;
}

/** Returns the name of a stem of a song: `drums of "Halo"`. */
export function nameOfLayer({ songId, stem }: Pick<PlanLayer, 'songId' | 'stem'>, songs: readonly NamedSong[]): string {
  return `${STEM_NAMES[stem]} of ${quoteName(songs, songId)}`;
}

/** Returns `is` or `are`. */
export const isOrAre = (stem: Stem): string => (isSingular(stem) ? 'is' : 'are');

/** Joins words as in a sentence: `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Returns a tempo without needless digits: `120 bpm`, `92.5 bpm`. */
export const bpmText = (bpm: number): string => `${Math.round(bpm * 10) / 10} bpm`;

/** Returns a text with a capital letter at its start. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
