/** Takes a wish out of a text, so that the reading of the new text has all the other wishes and not this one. */
import type { Reading, Stem, Wish, WishSong } from '../../schema.ts';
import { readWishes } from './read-wishes.ts';

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

const STEM_WORDS: Record<Stem, string> = { vocals: 'vocals', drums: 'drums', bass: 'bass', other: 'instruments' };
const DEGREE_WORDS = { little: 'a bit ', much: 'much ' } as const;
const degreeOf = ({ degree }: { degree?: 'little' | 'much' | undefined }): string =>
  degree ? DEGREE_WORDS[degree] : '';

/** Writes a wish in words that the reader understands as this wish. Songs are named by their positions. */
export function plainWish(wish: Wish, songs: readonly WishSong[]): string {
  const song = (id: string): string => `song ${songs.findIndex(({ song_id }) => song_id === id) + 1}`;
  const part = ({ stem, song_id }: { stem?: Stem | undefined; song_id?: string | undefined }): string =>
    [stem && STEM_WORDS[stem], stem && song_id && 'of', song_id && song(song_id)].filter(Boolean).join(' ');
  switch (wish.kind) {
    case 'source':
      return `${STEM_WORDS[wish.stem]} from ${song(wish.song_id)}`;
    case 'edge':
      return wish.sound === 'fade' ? `fade ${wish.edge === 'start' ? 'in' : 'out'}` : `a ${wish.sound} ${wish.edge}`;
    case 'edge_part':
      return `${wish.edge} ${wish.how === 'without' ? 'without' : 'with'} ${wish.how === 'only' ? 'only ' : ''}${part(wish)}`;
    case 'drop':
      return `${wish.change} drop`;
    case 'length':
      return wish.by_sec === undefined ? `${degreeOf(wish)}${wish.change}` : `${wish.by_sec} seconds ${wish.change}`;
    case 'length_exact':
      return `${wish.sec} seconds`;
    case 'tempo':
      return wish.by_bpm === undefined ? `${degreeOf(wish)}${wish.change}` : `${wish.by_bpm} bpm ${wish.change}`;
    case 'tempo_exact':
      return `${wish.bpm} bpm`;
    case 'key':
      return `${Math.abs(wish.semitones)} semitones ${wish.semitones < 0 ? 'lower' : 'higher'}`;
    case 'key_exact':
      return `in ${wish.key}`;
    case 'level': {
      const size = wish.by_db === undefined ? degreeOf(wish) : `${wish.by_db} dB `;
      return `${size}${wish.change} ${part(wish)}`;
    }
    case 'without':
      return `no ${part(wish)}`;
    case 'effect': {
      const on = part(wish);
      return `${wish.change === 'off' ? 'no' : wish.change} ${wish.effect ?? 'effects'}${on === '' ? '' : ` on ${on}`}`;
    }
    default:
      return plainForm(wish);
  }
}

function plainForm(
  wish: Extract<Wish, { kind: 'swap' | 'transitions' | 'sections' | 'sections_exact' | 'energy' | 'keep' | 'again' }>,
): string {
  switch (wish.kind) {
    case 'swap':
      return 'swap the songs';
    case 'transitions':
      return `${wish.change} transitions`;
    case 'sections':
      return `${wish.change} sections`;
    case 'sections_exact':
      return `${wish.count} sections`;
    case 'energy':
      return `${degreeOf(wish)}${wish.change} energy`;
    case 'keep':
      return `keep the ${wish.what}`;
    case 'again':
      return 'try again';
  }
}
