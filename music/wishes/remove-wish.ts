/** Takes a wish out of a text, so that the reading of the new text has all the other wishes and not this one. */
import type { Reading, Wish, WishSong } from '../../schema.ts';
import { readWishes } from './read-wishes.ts';
import { describeWish } from './wish-texts.ts';

/** Between clauses; kept with the clause that follows. */
const JOINT = /([.!?;,\n]+\s*(?:(?:and|then|but|plus|with)\s+)?|\s+(?:and|then|but|plus|with)\s+)/i;

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  const texts = (list: readonly unknown[]): string => JSON.stringify(list.map((each) => JSON.stringify(each)).sort());
  return texts(a) === texts(b);
};

/**
 * Returns the text without the wish. The words of the other wishes stay as they were written where that leaves them the same; otherwise
 * the other wishes are written in plain words. Parts that are not understood stay.
 */
export function withoutWish(text: string, wish: Wish, songs: readonly WishSong[]): string {
  const { understood, not_understood } = readWishes(text, songs);
  const rest = understood.filter((each) => JSON.stringify(each) !== JSON.stringify(wish));
  const isRight = (candidate: string): boolean => {
    const reading: Reading = readWishes(candidate, songs);
    return sameList(reading.understood, rest) && sameList(reading.not_understood, not_understood);
  };
  const written = withoutParts(text).find(isRight);
  if (written !== undefined) return written;
  const plain = rest.map((each) => plainWish(each, songs));
  return [[...plain, ...not_understood].join('. '), plain.join('. ')].find(isRight) ?? plain.join('. ');
}

/** The text without one of its clauses, or two neighbours. */
function withoutParts(text: string): string[] {
  const pieces = text.split(JOINT);
  const clauses = pieces.filter((_, index) => index % 2 === 0);
  const joints = pieces.filter((_, index) => index % 2 === 1);
  return [1, 2].flatMap((count) =>
    clauses.map((_, removed) => {
      let result = '';
      clauses.forEach((clause, index) => {
        if (index >= removed && index < removed + count) return;
        result += (result === '' ? '' : (joints[index - 1] ?? '')) + clause;
      });
      return result.trim();
    }),
  );
}

/**
 * Writes a wish in words that the reader understands as this wish: those that users read, but for the few that are no requests. Songs are
 * named by their positions, since a name may also be a word.
 */
export function plainWish(wish: Wish, songs: readonly WishSong[]): string {
  switch (wish.kind) {
    case 'swap':
      return 'swap the songs';
    case 'keep':
      return `keep the ${wish.what}`;
    case 'again':
      return 'try again';
    default: {
      const byPosition = songs.map(({ song_id }, at) => ({ song_id, name: `song ${at + 1}` }));
      return describeWish(wish, byPosition).replaceAll('"', '');
    }
  }
}
