/** Reads wishes in the browser by the same rules as the engine. It is loaded when a user writes, and not with the page. */
import { readWishes } from '../../../music/wishes/read-wishes.ts';
import { refusalOf, WHAT_CAN_BE_ASKED } from '../../../music/wishes/refuse.ts';
import { withoutWish } from '../../../music/wishes/remove-wish.ts';
import { wishSongs } from '../../../music/wishes/wish-songs.ts';
import { describeWish } from '../../../music/wishes/wish-texts.ts';
import type { Refusal } from '../../../music/wishes/refuse.ts';
import type { SongAnalysis, WishSong } from '../../../schema.ts';

/** A song that a text may name. What its analysis says is known when it is there. */
export interface NamedSong {
  id: string;
  name: string;
  artist: string;
  analysis?: SongAnalysis | undefined;
}

/** The wishes of a text in words, each with the text that is left without it, and the parts that are not understood. */
export interface ShownReading {
  wishes: { text: string; without: string }[];
  notUnderstood: string[];
  /** The parts whose wishes exclude each other. */
  contradictory: string[];
  /** What users can ask for. */
  canBeAsked: string;
}

const toWishSong = ({ id, name, artist, analysis }: NamedSong): WishSong =>
  (analysis && wishSongs([{ song_id: id, name, artist, analysis }])[0]) ?? { song_id: id, name, artist };

/** Reads a text. */
export function readText(text: string, songs: readonly NamedSong[]): ShownReading {
  const known = songs.map(toWishSong);
  const { understood, not_understood, contradictory = [] } = readWishes(text, known);
  return {
    wishes: understood.map((wish) => ({
      text: describeWish(wish, known),
      without: withoutWish(text, wish, known),
    })),
    notUnderstood: not_understood.filter((part) => !contradictory.includes(part)),
    contradictory,
    canBeAsked: WHAT_CAN_BE_ASKED,
  };
}

/** Returns why a text must not start a mashup; undefined if it may. */
export const findRefusal = (text: string, songs: readonly NamedSong[]): Refusal | undefined =>
  refusalOf(text, songs.map(toWishSong));
